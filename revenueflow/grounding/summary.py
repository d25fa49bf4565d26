"""What a rep reads first: two to four sentences, by code, from supported claims alone, each fact with its citation.

The words are ours and the values are those that the checks compared; of what a model, a company or a sender wrote
nothing is repeated but short names, without line breaks, links or markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from pydantic import JsonValue

from revenueflow.domain.claim import JudgedClaim
from revenueflow.domain.countries import country_name
from revenueflow.domain.evidence import Evidence, Trust
from revenueflow.domain.phrases import words
from revenueflow.domain.text import harmless
from revenueflow.grounding.effect import said_of_itself, weight
from revenueflow.grounding.rules import GroundingRules

Evidenced = Mapping[str, Evidence]
MOST_SENTENCES: Final = 4
MOST_PHRASES: Final = 5
LONGEST_NAME: Final = 80
LONGEST_STATEMENT: Final = 300
PHRASES: Final = {
    "industry": "in {}",
    "headcount": "{} employees",
    "country": "based in {}",
    "location": "based in {}",
    "technology": "uses {}",
    "technology_absent": "is not known to use {}",
    "funding_stage": "funding stage {}",
    "funding_amount": "raised {}",
    "revenue": "revenue {} a year",
    "founded_year": "founded in {}",
    "seniority": "{} level",
    "department": "works in {}",
    "buying_signal": "interest in {}",
}
NAMES: Final = {"c_level": "C-level", "vp": "VP", "it": "IT", "hr": "HR"}
THEMES: Final[Mapping[str, tuple[str, ...]]] = {
    "Company": (
        "industry", "headcount", "country", "location", "revenue", "funding_stage", "funding_amount", "founded_year",
    ),
    "Technology": ("technology", "technology_absent", "competitor"),
    "Contact": ("seniority", "department"),
    "Interest": ("buying_signal", "budget", "timeline", "use_case", "hiring", "product_launch"),
}  # fmt: skip
OTHER: Final = "Besides"
MANY: Final = frozenset(
    {"technology", "technology_absent", "buying_signal", "competitor", "hiring", "use_case", "other"}
)
MOST_WORDS: Final = 4
LONGEST_PRODUCT: Final = 40
"""Of the name of a product: what has more, or is longer, is a sentence or a code."""


class Said(NamedTuple):
    """A supported claim in our words, with who says it."""

    field: str
    theme: str
    phrase: str
    source: str
    weight: float


def summary(supported: Iterable[JudgedClaim], evidence: Evidenced, rules: GroundingRules, now: datetime) -> str | None:
    """The summary, the weightiest first: "Company: 227 employees (per hunter, 3 days ago)."; None without claims."""
    said = [_said(one, evidence, rules, now) for one in supported if may_leave(one, evidence)]
    themes: dict[str, list[Said]] = {}
    for one in _best(sorted(said, key=lambda one: -one.weight)):
        themes.setdefault(one.theme, []).append(one)
    best = sorted(themes.items(), key=lambda theme: -sum(one.weight for one in theme[1]))
    return " ".join(f"{name}: {_sentence(facts)}." for name, facts in best[:MOST_SENTENCES]) or None


def _best(said: Iterable[Said]) -> Iterator[Said]:
    """Of a field that has one value the weightiest alone; the others are among the lines."""
    seen: set[str] = set()
    for one in said:
        if one.field in MANY or one.field not in seen:
            yield one
        seen.add(one.field)


def lines(supported: Iterable[JudgedClaim], evidence: Evidenced, now: datetime) -> tuple[str, ...]:
    """The same claims one by one, each with provider, signal and age of what carries it."""
    said = ((_phrase(one, evidence), _citation(one, evidence, now)) for one in supported if may_leave(one, evidence))
    return tuple(dict.fromkeys(f"{phrase[:1].upper()}{phrase[1:]} [{cited}]" for phrase, cited in said))


def may_leave(judged: JudgedClaim, evidence: Evidenced) -> bool:
    """False for free words that only those back whom they are about: nothing was compared but their own text.

    False too for a sentence where the name of a product should stand.
    """
    field, expected = judged.claim.field.value, judged.verdict.expected
    free = field == "other" or expected is None
    if field.startswith("technology") and isinstance(expected, list):
        return judged.supported and all(map(_is_product, map(str, expected)))
    return judged.supported and not (free and said_of_itself(judged, evidence))


def _is_product(name: str) -> bool:
    return len(words(name)) <= MOST_WORDS and len(name) <= LONGEST_PRODUCT


def _said(judged: JudgedClaim, evidence: Evidenced, rules: GroundingRules, now: datetime) -> Said:
    field = judged.claim.field.value
    theme = next((name for name, fields in THEMES.items() if field in fields), OTHER)
    return Said(
        field, theme, _phrase(judged, evidence), _source(judged, evidence, now), weight(judged, evidence, rules, now)
    )


def _phrase(judged: JudgedClaim, evidence: Evidenced) -> str:
    field, expected = judged.claim.field.value, judged.verdict.expected
    if expected is None or field == "other":
        return harmless(judged.claim.statement, LONGEST_STATEMENT).rstrip(".")
    said = PHRASES.get(field, field.replace("_", " ") + " {}").format(_shown(judged))
    return f"says {said}" if said_of_itself(judged, evidence) else said


def _shown(judged: JudgedClaim) -> str:
    """The value that was compared, as the claim spells it if that is all that the claim's value says."""
    field, value, spelled = judged.claim.field.value, judged.verdict.expected, judged.claim.value
    if field == "country" and isinstance(value, str):
        return country_name(value) or harmless(value, LONGEST_NAME)
    values = value[:3] if isinstance(value, list) else [value]
    if isinstance(spelled, str) and len(values) == 1 and _is_name(spelled, field, str(values[0])):
        return harmless(spelled, LONGEST_NAME)
    return " and ".join(_name(one) for one in values)


def _is_name(spelled: str, field: str, value: str) -> bool:
    """True if the claim's own value says no more than what was compared. A product may have another name there."""
    same = words(spelled) == words(value) and value not in NAMES
    return same or (field == "technology" and _is_product(spelled))


def _name(value: JsonValue) -> str:
    """Canonical names as people write them; long numbers with separators."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,}" if value >= 10_000 else str(value)
    if str(value) in NAMES:
        return NAMES[str(value)]
    text = harmless(str(value).replace("_", " "), LONGEST_NAME)
    return re.sub(r"\d{5,}", lambda digits: f"{int(digits[0]):,}", text)


def _sentence(facts: Sequence[Said]) -> str:
    """The phrases, those of one source together and the source once."""
    sources: dict[str, list[str]] = {}
    for one in facts[:MOST_PHRASES]:
        phrases = sources.setdefault(one.source, [])
        if one.phrase not in phrases:
            phrases.append(one.phrase)
    return "; ".join(f"{', '.join(_joined(phrases))} ({source})" for source, phrases in sources.items())


def _joined(phrases: Sequence[str]) -> Iterator[str]:
    """ "uses a, uses b" as "uses a, b"."""
    before = ""
    for phrase in phrases:
        verb, _, rest = phrase.partition(" ")
        yield rest if verb == before == "uses" else phrase
        before = verb


def _piece(judged: JudgedClaim, evidence: Evidenced) -> Evidence | None:
    """The piece that is named for a claim: of the most trusted the newest."""
    pieces = [evidence[name] for name in judged.verdict.citations if name in evidence]
    order = (Trust.SELF_REPORTED, Trust.VENDOR, Trust.FIRST_PARTY)
    return max(pieces, key=lambda piece: (order.index(piece.trust), piece.fetched_at), default=None)


def _source(judged: JudgedClaim, evidence: Evidenced, now: datetime) -> str:
    piece = _piece(judged, evidence)
    if piece is None:
        return "confirmed by a person"
    by = "on the form" if piece.trust is Trust.SELF_REPORTED else f"per {harmless(piece.provider, LONGEST_NAME)}"
    return f"{by}, {ago(piece.fetched_at, now)}"


def _citation(judged: JudgedClaim, evidence: Evidenced, now: datetime) -> str:
    piece = _piece(judged, evidence)
    if piece is None:
        return "confirmed by a person"
    return f"{harmless(piece.provider, LONGEST_NAME)}, {piece.signal.value}, {ago(piece.fetched_at, now)}"


def ago(then: datetime, now: datetime) -> str:
    """ "today", "3 days ago", "5 months ago": no finer than evidence is fetched."""
    days = max(0, (now - then).days)
    if days == 0:
        return "today"
    count, unit = (days, "day") if days < 60 else (days // 30, "month")
    return f"{count} {unit}{'s' if count > 1 else ''} ago"
