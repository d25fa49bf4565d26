"""The words of companies, titles and places in one canonical form. The tables: defaults/vocabulary.toml."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Literal, Self

from pydantic import Field, model_validator

from revenueflow.domain.base import Value
from revenueflow.domain.countries import iso_codes, iso_names
from revenueflow.domain.phrases import Hit, PhraseIndex, canonicals, fold, words
from revenueflow.domain.sayings import Sayings, Table
from revenueflow.domain.titles import Affixes, plain

SENIORITIES = ("c_level", "vp", "director", "manager", "individual")
SEGMENT = re.compile(r"[,;/|>:•·\n]+")
SHOUTED = re.compile(r"\bU\.?S\.?(?:A\.?)?(?![\w.])")
SHOUTED_UK = re.compile(r"\bU\.?K\.?(?![\w.])")
DECOY = ""
Kind = Literal["industry", "technology", "country", "seniority", "department", "funding_stage", "buying_signal"]


class Vocabulary(Value):
    """Tables {canonical: (synonyms…)}. Whole words only; at each place the longest phrase wins.

    A phrase that stands for two things is an error. Build it once: the indices are computed on first use.
    """

    version: int
    industries: Table
    industry_whole_only: tuple[str, ...] = ()
    technologies: Table
    countries: Table
    country_decoys: tuple[str, ...] = ()
    cities: Table = Field(default_factory=dict)
    demonyms: Table = Field(default_factory=dict)
    seniorities: Table
    seniority_overrides: Table = Field(default_factory=dict)
    seniority_levels: Table = Field(default_factory=dict)
    title_seniorities: Table = Field(default_factory=dict)
    title_levels: Table = Field(default_factory=dict)
    title_departments: Table = Field(default_factory=dict)
    seniority_endings: Table = Field(default_factory=dict)
    seniority_override_endings: Table = Field(default_factory=dict)
    departments: Table
    department_decoys: tuple[str, ...] = ()
    department_stems: Table = Field(default_factory=dict)
    department_endings: Table = Field(default_factory=dict)
    title_abbreviations: Table = Field(default_factory=dict)
    buying_signals: Table = Field(default_factory=dict)
    funding_stages: Table = Field(default_factory=dict)
    placeholders: tuple[str, ...] = ()
    sayings: Sayings = Sayings()

    @model_validator(mode="after")
    def _indexable(self) -> Self:
        tables = [self.seniorities, self.title_seniorities, self.title_levels, self.seniority_overrides]
        tables += [self.seniority_endings, self.seniority_override_endings]
        if any(table.keys() - set(SENIORITIES) for table in tables):
            raise ValueError(f"seniorities must be among {', '.join(SENIORITIES)}")
        for kind in ("industry", "technology", "seniority", "department", "funding_stage", "buying_signal"):
            PhraseIndex.of(self._table(kind))
        PhraseIndex(_names(iso_names(), self.countries, self.demonyms))
        _ = self._departments, self._seniorities, self._foreign
        return self

    def industry(self, text: str | None) -> str | None:
        """The canonical industry of the whole text, else of the longest phrase in its first part with one."""
        if not text:
            return None
        whole = self._industries.whole(words(text))
        return whole or next(filter(None, (self._industry_of(part) for part in SEGMENT.split(text))), None)

    def _industry_of(self, part: str) -> str | None:
        hits = self._industries.find(words(part))
        return max(hits, key=lambda hit: (hit.length, hit.start)).canonical if hits else None

    def technology(self, text: str) -> str:
        """The canonical name of a product, or its folded words where the table doesn't know it."""
        tokens = words(text)
        return self._prose["technology"].whole(tokens) or " ".join(tokens)

    def country(self, text: str | None) -> str | None:
        """ISO 3166-1 alpha-2 of a code, a name, or the last part of a place ("Berlin, Germany")."""
        if not text:
            return None
        tokens = words(text)
        code = iso_codes().get(tokens[0]) if len(tokens) == 1 else None
        return code or self._countries.whole(tokens) or self._country_of_place(text)

    def _country_of_place(self, text: str) -> str | None:
        parts = [words(part) for part in SEGMENT.split(text)]
        found = (self._prose["country"].whole(part) for part in reversed(parts)) if len(parts) > 1 else ()
        return next(filter(None, found), None)

    def is_city(self, name: str, country: str) -> bool:
        """Whether the table lists a city for a country: those whose code is that of a state too, and the US."""
        return words(name) in self._cities.get(country, ())

    def seniority(self, title: str | None) -> str | None:
        """c_level, vp, director, manager or individual: the highest that a title names, None without one."""
        return self._level(self._title(title), self._seniorities)

    def foreign_level(self, title: str | None) -> str | None:
        """As `seniority`, by the words of `title_levels` and compounds alone: None for a title in English."""
        return self._level(self._title(title), self._foreign)

    def _level(self, tokens: tuple[str, ...], index: PhraseIndex) -> str | None:
        overrides = self._overrides.find(tokens)
        if overrides:
            return overrides[0].canonical
        hits = index.find(tokens)
        rest = _uncovered(tokens, hits)
        over = self._override_endings.find(tokens)
        found = over or canonicals(hits) + self._endings.find(rest)
        return min(found, key=SENIORITIES.index) if found else None

    def seniority_level(self, text: str | None) -> str | None:
        """As `seniority`, for a vendor's word for the level itself: "executive" is c_level there."""
        return self._levels.whole(words(text or "")) or self.seniority(text)

    def department(self, title: str | None) -> str | None:
        """The department of a title: longest phrase, then the first, then a compound's; `executive` if no other."""
        tokens = self._title(title)
        hits = self._departments.find(tokens)
        named = [hit for hit in hits if hit.canonical != DECOY]
        best = max(named, key=_department_rank).canonical if named else None
        if best not in (None, "executive"):
            return best
        rest = _uncovered(tokens, hits)
        compounds = self._stems.find(rest) + self._department_endings.find(rest)
        other = next((name for name in compounds if name != "executive"), None)
        return other or best or next(iter(compounds), None)

    def _title(self, title: str | None) -> tuple[str, ...]:
        tokens = words(plain(title or ""))
        return tuple(part for word in tokens for part in self._abbreviations.get(word, (word,)))

    def says_nothing(self, text: str) -> bool:
        """Whether a text only stands where a value should: "N/A", "-", "unknown", "test"."""
        opening = text[:2]
        if opening.isalnum() and opening.isascii() and opening.casefold() not in self._openings:
            return False  # nearly always: a file of leads asks this of each of its cells
        return self._nothing.fullmatch(text if text.isascii() else fold(text)) is not None

    def funding_stage(self, text: str | None) -> str | None:
        """The canonical stage ("Series-B round" is `series_b`), None if there is not exactly one."""
        found = self.mentions("funding_stage", text or "")
        return found[0] if len(found) == 1 else None

    def mentions(self, kind: Kind, text: str) -> tuple[str, ...]:
        """All of a kind that a running text names, each once, in order. No two-letter country codes."""
        if kind == "country":
            text = SHOUTED_UK.sub("United Kingdom", SHOUTED.sub("United States", text))
        return tuple(name for name in canonicals(self._prose[kind].find(words(text))) if name != DECOY)

    def names_of(self, kind: Kind, canonical: str) -> frozenset[str]:
        """The words of all names of a canonical thing; its own words where the table doesn't know it."""
        known = self._names_of.get((kind, canonical))
        return frozenset(words(canonical)) if known is None else known

    def _table(self, kind: str) -> Table:
        tables = {
            "industry": self.industries,
            "technology": self.technologies,
            "seniority": self.seniorities,
            "department": self.departments,
            "funding_stage": self.funding_stages,
            "buying_signal": self.buying_signals,
        }
        return tables[kind]

    @cached_property
    def _industries(self) -> PhraseIndex:
        return PhraseIndex.of(self.industries)

    @cached_property
    def _countries(self) -> PhraseIndex:
        return PhraseIndex(_names(iso_names(), self.countries))

    @cached_property
    def _cities(self) -> dict[str, frozenset[tuple[str, ...]]]:
        return {code: frozenset(map(words, names)) for code, names in self.cities.items()}

    @cached_property
    def _overrides(self) -> PhraseIndex:
        return PhraseIndex(_names(self.seniority_overrides))

    @cached_property
    def _override_endings(self) -> Affixes:
        return Affixes(self.seniority_override_endings, at_end=True)

    @cached_property
    def _endings(self) -> Affixes:
        return Affixes(self.seniority_endings, at_end=True)

    @cached_property
    def _stems(self) -> Affixes:
        return Affixes(self.department_stems, at_end=False)

    @cached_property
    def _department_endings(self) -> Affixes:
        return Affixes(self.department_endings, at_end=True)

    @cached_property
    def _departments(self) -> PhraseIndex:
        decoys = [(decoy, DECOY) for decoy in self.department_decoys]
        return PhraseIndex([*_entries(self.departments), *_names(self.title_departments), *decoys])

    @cached_property
    def _seniorities(self) -> PhraseIndex:
        return PhraseIndex([*_entries(self.seniorities), *_names(self.title_seniorities, self.title_levels)])

    @cached_property
    def _foreign(self) -> PhraseIndex:
        return PhraseIndex(_names(self.title_levels))

    @cached_property
    def _abbreviations(self) -> dict[str, tuple[str, ...]]:
        return {short: words(word) for word, shorts in self.title_abbreviations.items() for short in shorts}

    @cached_property
    def _openings(self) -> frozenset[str]:
        return frozenset(words(one)[0][:2] for one in self.placeholders)

    @cached_property
    def _nothing(self) -> re.Pattern[str]:
        # Possessive: linear in texts of any length.
        phrases = sorted((r"[\W_]++".join(words(one)) for one in self.placeholders), key=len, reverse=True)
        return re.compile(rf"[\W_]*+(?:(?:{'|'.join(phrases)})[\W_]*+)?" if phrases else r"[\W_]*+", re.IGNORECASE)

    @cached_property
    def _levels(self) -> PhraseIndex:
        return PhraseIndex.of(self.seniority_levels)

    @cached_property
    def _prose(self) -> dict[str, PhraseIndex]:
        whole_only = {words(phrase) for phrase in self.industry_whole_only}
        industries = [(name, key) for name, key in _entries(self.industries) if words(name) not in whole_only]
        others = ("technology", "seniority", "department", "funding_stage", "buying_signal")
        plain = {kind: PhraseIndex.of(self._table(kind)) for kind in others}
        return plain | {"industry": PhraseIndex(industries), "country": PhraseIndex(self._places())}

    def _places(self) -> list[tuple[str, str]]:
        """Names that mean a country inside a longer text: no codes; longer names hide shorter ones."""
        decoys = [(decoy, DECOY) for decoy in self.country_decoys]
        hidden = {words(decoy) for decoy in self.country_decoys}
        named = _names(iso_names(), self.countries, self.demonyms)
        return decoys + [(name, code) for name, code in named if _in_prose(name, hidden)]

    @cached_property
    def _names_of(self) -> dict[tuple[str, str], frozenset[str]]:
        kinds = ("industry", "technology", "seniority", "department", "funding_stage", "buying_signal")
        entries = [((kind, key), name) for kind in kinds for name, key in _entries(self._table(kind))]
        entries += [(("country", code), name) for name, code in _names(iso_names(), self.countries, self.demonyms)]
        entries += [(("country", code), code) for code in iso_names()]
        found: dict[tuple[str, str], set[str]] = {}
        for key, name in entries:
            found.setdefault(key, set()).update(words(name))
        return {key: frozenset(names) for key, names in found.items()}


def _department_rank(hit: Hit) -> tuple[bool, int, int]:
    return hit.canonical != "executive", hit.length, -hit.start


def _uncovered(tokens: tuple[str, ...], hits: Iterable[Hit]) -> tuple[str, ...]:
    covered = {place for hit in hits for place in range(hit.start, hit.start + hit.length)}
    return tuple(token for place, token in enumerate(tokens) if place not in covered)


def _entries(table: Table) -> list[tuple[str, str]]:
    return [(name, key) for key, synonyms in table.items() for name in (key, *synonyms)]


def _names(*tables: Mapping[str, Iterable[str]]) -> list[tuple[str, str]]:
    return [(name, code) for table in tables for code, names in table.items() for name in names]


def _in_prose(name: str, hidden: set[tuple[str, ...]]) -> bool:
    found = words(name)
    return len("".join(found)) > 3 and found not in hidden
