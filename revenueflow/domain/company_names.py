"""A company's name taken apart: its words, its legal forms, and the branch in parentheses.

The tables: defaults/legal_forms.toml. Places are the names of countries in defaults/vocabulary.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, cached_property, lru_cache
from typing import NamedTuple

from pydantic import Field
from rapidfuzz.distance import OSA

from revenueflow import defaults
from revenueflow.domain.base import Value
from revenueflow.domain.countries import iso_names
from revenueflow.domain.phrases import PhraseIndex
from revenueflow.domain.transliteration import latin

LONGEST_NAME = 400
KNOWN_NAMES = 8192
SHORTEST_MISSPELT = 6
PLACE = "@"
WORD = re.compile(r"[^\W_]+")
CURLY = re.compile("[’‘`´ʼ′]")
POSSESSIVE = re.compile(r"'s\b")
INITIALS = re.compile(r"\b(?:[^\W\d_]\.){1,}[^\W\d_](?:\.|\b)")
GLUED = re.compile(r"(?<=[a-zà-ÿ])(AG|SE|SA|KG|NV|BV|AB|Gmb[Hh]|GMBH|LLC|PLC|Ltd|Inc|Corp)\b")
ROMAN = {
    "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "x": "10", "xi": "11",
    "xii": "12", "xiii": "13", "xiv": "14", "xv": "15", "xvi": "16", "xvii": "17",
    "xviii": "18", "xix": "19", "xx": "20",
}  # fmt: skip
BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")


class Words(Value):
    """The words of names: what says nothing (`stop`), little (`frill`, `region`), or is shared by many (`common`)."""

    stop: frozenset[str]
    frill: frozenset[str]
    region: frozenset[str]
    common: frozenset[str]
    same: dict[str, tuple[str, ...]]
    numbers: dict[str, tuple[str, ...]]


class Name(NamedTuple):
    """A name taken apart. `words` are those that tell companies apart, `written` those without legal forms.

    `whole` is `written` without spaces, `initials` what the name may be shortened to, with or without its form.
    """

    words: tuple[str, ...]
    written: tuple[str, ...]
    forms: frozenset[str]
    branch: frozenset[str]
    whole: str
    initials: frozenset[str]
    ampersand: bool


class LegalForms(Value):
    """The table of legal forms and words. A spelling that stands for two forms is an error."""

    version: int
    leading: frozenset[str]
    nonprofit: frozenset[str]
    attached: tuple[str, ...]
    forms: dict[str, tuple[str, ...]]
    words: Words
    countries: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    def model_post_init(self, _: object) -> None:
        """Builds the index, so that a wrong table is refused when it is read."""
        self._forms.whole(())

    def parse(self, name: str) -> Name:
        """A name taken apart; empty for a text without words."""
        text = self._spaced(GLUED.sub(r" \1", name[:LONGEST_NAME]))
        given, inside = tokens(text), BRACKETS.findall(text)
        outside = tokens(BRACKETS.sub(" ", text)) if inside else given
        written, forms = self._without_forms(given)
        main = self._without_forms(outside)[0] if inside else written
        extra = tuple(word for part in inside for word in tokens(part))
        branch = frozenset(self._distinct(extra)) if main and extra else frozenset()
        qualifies = bool(branch) and all(self.is_place(word) for word in branch)
        core = self._distinct(main if qualifies or _initials_of(main, extra) else written)
        return Name(
            words=core,
            written=written,
            forms=forms,
            branch=branch if qualifies else frozenset(),
            whole="".join(written),
            initials=frozenset(self._initials(each) for each in (main, outside)),
            ampersand="&" in name,
        )

    def is_place(self, word: str) -> bool:
        """True for a country (as it stands in `Name.words`) or a region."""
        return word.startswith(PLACE) or word in self.words.region

    def is_known(self, word: str) -> bool:
        """True for a word of the tables: it is not a misspelling of another of them."""
        return word.startswith(PLACE) or word in self._known

    def is_frill(self, word: str) -> bool:
        """True for a word that may be missing on one side."""
        return word in self.words.frill or word in self.words.region

    def _spaced(self, text: str) -> str:
        if text.isascii():
            return text
        return self._attached.sub(r" \1 ", text)

    def _initials(self, written: tuple[str, ...]) -> str:
        return "".join(word[0] for word in written if word not in self.words.stop)

    def _without_forms(self, given: tuple[str, ...]) -> tuple[tuple[str, ...], frozenset[str]]:
        """The words without the forms at the end and at the start, as long as a word is left."""
        left, found = given, set()
        while (cut := self._trailing(left)) or (cut := self._heading(left)):
            left, form = cut
            found.add(form)
        return left, frozenset(found)

    def _trailing(self, given: tuple[str, ...]) -> tuple[tuple[str, ...], str] | None:
        for start in range(max(1, len(given) - self._longest), len(given)):
            form = self._forms.whole(given[start:]) or self._misspelt("".join(given[start:]))
            if form:
                return given[:start], form
        return None

    def _heading(self, given: tuple[str, ...]) -> tuple[tuple[str, ...], str] | None:
        for end in range(min(self._longest, len(given) - 1), 0, -1):
            form = self._forms.whole(given[:end]) if end > 1 or given[0] in self._leading else None
            if form:
                return given[end:], form
        return None

    def _misspelt(self, joined: str) -> str | None:
        if len(joined) < SHORTEST_MISSPELT or len(joined) > 60 or joined in self._known:
            return None
        limit = 1 if len(joined) < 12 else 2
        near = (self._long_forms.get(len(joined) + more, {}) for more in range(-limit, limit + 1))
        found = (form for same in near for name, form in same.items() if _near(name, joined, limit))
        return next(found, None)

    def _distinct(self, written: tuple[str, ...]) -> tuple[str, ...]:
        """Words in one spelling each: numbers as digits, countries as codes, without those that say nothing."""
        placed = _replaced(written, self._places)
        kept = [self._same.get(word, word) for word in placed if word not in self.words.stop] or list(placed)
        return _with_numbers([self._numbers.get(word, word) for word in kept])

    @cached_property
    def _attached(self) -> re.Pattern[str]:
        return re.compile("(" + "|".join(map(re.escape, sorted(self.attached, key=len, reverse=True))) + ")")

    @cached_property
    def _forms(self) -> PhraseIndex:
        return PhraseIndex((" ".join(tokens(name)), key) for name, key in _entries(self.forms))

    @cached_property
    def _longest(self) -> int:
        return max(len(tokens(name)) for name, _ in _entries(self.forms))

    @cached_property
    def _leading(self) -> frozenset[str]:
        return self.leading | {word for form in self.attached for word in tokens(form)}

    @cached_property
    def _long_forms(self) -> dict[int, dict[str, str]]:
        """{length: {spelling in one word: form}}"""
        found: dict[int, dict[str, str]] = {}
        for name, key in _entries(self.forms):
            joined = "".join(tokens(name))
            if len(joined) > SHORTEST_MISSPELT:
                found.setdefault(len(joined), {})[joined] = key
        return found

    @cached_property
    def _same(self) -> dict[str, str]:
        return {latin(word): key for word, key in _entries(self.words.same)}

    @cached_property
    def _numbers(self) -> dict[str, str]:
        return {latin(word): key for word, key in _entries(self.words.numbers)}

    @cached_property
    def _known(self) -> frozenset[str]:
        said = self.words.common | self.words.stop | self.words.frill | self.words.region
        return frozenset(map(latin, said)) | self._same.keys()

    @cached_property
    def _places(self) -> PhraseIndex:
        named: dict[str, str] = {}
        for table in (self.countries, iso_names()):
            for name, code in _entries(table, own=False):
                named.setdefault(" ".join(tokens(name)), PLACE + code.lower())
        return PhraseIndex((name, code) for name, code in named.items() if name)


@cache
def legal_forms() -> LegalForms:
    """The tables of defaults/legal_forms.toml. Raises ConfigurationError."""
    countries = defaults.toml("vocabulary.toml").get("countries", {})
    return defaults.load(LegalForms, "legal_forms.toml").model_copy(update={"countries": countries})


@lru_cache(maxsize=KNOWN_NAMES)
def parsed(name: str) -> Name:
    """A name taken apart by the default tables."""
    return legal_forms().parse(name)


def tokens(text: str) -> tuple[str, ...]:
    """The words of a name in lower case and Latin letters: "S.p.A." and "S P A" are "spa", "Macy's" is "macy"."""
    plain = POSSESSIVE.sub("", CURLY.sub("'", latin(text))).replace("'", "").replace("%", " percent ")
    dotted = INITIALS.sub(_undotted, plain)
    return _joined_letters(WORD.findall(dotted))


def _undotted(match: re.Match[str]) -> str:
    return match[0].replace(".", "") + " "


def _joined_letters(words: list[str]) -> tuple[str, ...]:
    """Neighbours of one letter each as one word ("j p morgan" is "jp morgan")."""
    found: list[str] = []
    open_run = False
    for word in words:
        single = len(word) == 1 and word.isalpha() and word.isascii()
        if single and open_run:
            found[-1] += word
        else:
            found.append(word)
        open_run = single
    return tuple(found)


def _near(form: str, joined: str, limit: int) -> bool:
    """At most `limit` edits, and the same at one end: most of what is compared is not near at all."""
    return (form[:2] == joined[:2] or form[-2:] == joined[-2:]) and OSA.distance(form, joined) <= limit


def _entries(table: Mapping[str, Iterable[str]], *, own: bool = True) -> list[tuple[str, str]]:
    return [(name, key) for key, names in table.items() for name in ((key, *names) if own else names)]


def _replaced(written: tuple[str, ...], index: PhraseIndex) -> tuple[str, ...]:
    found = list(written)
    for hit in reversed(index.find(written)):
        found[hit.start : hit.start + hit.length] = [hit.canonical]
    return tuple(found)


def _initials_of(main: tuple[str, ...], extra: tuple[str, ...]) -> bool:
    return len(extra) == 1 and len(extra[0]) > 1 and extra[0] == "".join(word[0] for word in main)


def _with_numbers(words: list[str]) -> tuple[str, ...]:
    """Roman numbers as digits (one letter at the end only), "40 4" as 44, "1st" as 1."""
    found: list[str] = []
    for place, word in enumerate(words):
        last = place == len(words) - 1
        number = ROMAN.get(word) if place and (len(word) > 1 or last) else None
        digits = number or re.sub(r"^(\d+)(?:st|nd|rd|th)$", r"\1", word)
        tens = found and len(digits) == 1 and digits.isdigit() and re.fullmatch("[2-9]0", found[-1])
        if tens and digits != "0":
            found[-1] = found[-1][0] + digits
        else:
            found.append(digits)
    return tuple(found)
