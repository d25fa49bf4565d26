"""True claims: each says what a piece of evidence says, in varied words, with a verbatim quote."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import orjson
import pycountry

from revenueflow.domain.quantity import Range
from revenueflow.sandbox.dice import Dice
from revenueflow.sandbox.gemini_evidence import Piece, Reading, amount_of, count_of
from revenueflow.sandbox.gemini_plans import job_lists, place_of, worded
from revenueflow.sandbox.gemini_words import ASKS, WORDINGS

NEAR_COUNT: Final = 0.15
NEAR_MONEY: Final = 0.15
MOST_TECHNOLOGIES: Final = 3
LEVELS: Final = {
    "c_level": "C-level",
    "vp": "VP",
    "director": "director",
    "manager": "manager",
    "individual": "individual",
}
ARTICLES: Final = ("US", "GB", "NL", "AE", "PH")
SENTENCE: Final = re.compile(r"[^.!?\n]+[.!?]?")
DENIAL: Final = re.compile(r"(?i)\b(?:not|no|never|without|nor|none|cannot|kein\w*|nicht|ohne|nie)\b|n['’]t\b")


@dataclass(frozen=True, slots=True)
class Draft:
    """A claim before it is written down: what it says, and which piece carries it."""

    field: str
    value: Any
    statement: str
    evidence_id: str
    quote: str | None

    def shown(self) -> dict[str, Any]:
        """As it stands in the answer."""
        citation = {"evidence_id": self.evidence_id} | ({"quote": self.quote} if self.quote else {})
        return {
            "field": self.field, "value": self.value, "statement": self.statement, "citations": [citation],
        }  # fmt: skip


def true_claims(reading: Reading, dice: Dice) -> list[Draft]:
    """What the evidence carries. Where vendors contradict each other, one of them, or nothing."""
    return [draft for write in WRITERS for draft in write(reading, dice)]


Writer = Callable[[Reading, Dice], Iterator[Draft]]


def _chosen(reading: Reading, dice: Dice, signal: str, agree: Callable[[Piece, Piece], bool]) -> Piece | None:
    pieces = reading.of(signal)
    if not pieces:
        return None
    if not all(agree(pieces[0], other) for other in pieces[1:]) and dice.happens(f"skip/{signal}", 0.5):
        return None
    return pieces[0]


def _industry(reading: Reading, dice: Dice) -> Iterator[Draft]:
    def agree(one: Piece, other: Piece) -> bool:
        return reading.vocabulary.industry(one.text) == reading.vocabulary.industry(other.text)

    piece = _chosen(reading, dice, "industry", agree)
    if piece:
        yield _draft("industry", piece, piece.value, reading, dice)


def _country(reading: Reading, dice: Dice) -> Iterator[Draft]:
    def agree(one: Piece, other: Piece) -> bool:
        return reading.vocabulary.country(one.text) == reading.vocabulary.country(other.text)

    piece = _chosen(reading, dice, "country", agree)
    code = reading.vocabulary.country(piece.text) if piece else None
    if piece and code:
        yield _draft("country", piece, code, reading, dice, said=country_name(code))


def _headcount(reading: Reading, dice: Dice) -> Iterator[Draft]:
    piece = _chosen(reading, dice, "headcount", _near(count_of, NEAR_COUNT))
    if piece and count_of(piece):
        yield _draft("headcount", piece, piece.value, reading, dice)


def _technologies(reading: Reading, dice: Dice) -> Iterator[Draft]:
    pieces = [piece for piece in reading.of("technologies") if isinstance(piece.value, list)]
    for piece in pieces[:1]:
        for product in [item for item in piece.value if isinstance(item, str)][:MOST_TECHNOLOGIES]:
            said = worded("technology", dice, reading.company, product, product)
            yield Draft("technology", product, said, piece.id, product)


def _funding_stage(reading: Reading, dice: Dice) -> Iterator[Draft]:
    piece = _chosen(reading, dice, "funding_stage", lambda one, other: one.text == other.text)
    if piece and reading.vocabulary.funding_stage(piece.text):
        yield _draft("funding_stage", piece, piece.value, reading, dice)


def _funding(reading: Reading, dice: Dice) -> Iterator[Draft]:
    piece = _chosen(reading, dice, "funding_total", _near(amount_of, NEAR_MONEY))
    if piece and amount_of(piece):
        yield _draft("funding_amount", piece, piece.value, reading, dice, said=dollars(piece.value))


def _revenue(reading: Reading, dice: Dice) -> Iterator[Draft]:
    piece = _chosen(reading, dice, "revenue", _near(amount_of, NEAR_MONEY))
    if piece and amount_of(piece):
        yield _draft("revenue", piece, piece.value, reading, dice, said=dollars(piece.value))


def _founded(reading: Reading, dice: Dice) -> Iterator[Draft]:
    piece = _chosen(reading, dice, "founded_year", lambda one, other: one.value == other.value)
    if piece:
        yield _draft("founded_year", piece, piece.value, reading, dice)


def _seniority(reading: Reading, dice: Dice) -> Iterator[Draft]:
    def level(piece: Piece) -> str | None:
        return reading.vocabulary.seniority(piece.text)

    piece = _chosen(reading, dice, "title", lambda one, other: level(one) == level(other))
    found = level(piece) if piece else None
    if piece and found:
        yield _draft("seniority", piece, found, reading, dice, said=LEVELS[found])


def _buying_signal(reading: Reading, dice: Dice) -> Iterator[Draft]:
    for piece in reading.of("message"):
        found = next(_wishes(piece.text), None)
        if found:
            asks, sentence = found
            yield Draft("buying_signal", None, dice.pick(f"wording/{asks}", WORDINGS[asks]), piece.id, sentence)


def _location(reading: Reading, dice: Dice) -> Iterator[Draft]:
    piece = place_of(reading, dice)
    if piece:
        yield _draft("location", piece, piece.value, reading, dice)


def _hiring(reading: Reading, dice: Dice) -> Iterator[Draft]:
    for piece, titles in islice(job_lists(reading), 1):
        said = worded("hiring", dice, reading.company, len(titles))
        yield Draft("hiring", len(titles), said, piece.id, titles[0])


def _wishes(text: str) -> Iterator[tuple[str, str]]:
    """What a message asks for, and the sentence in which it does; sentences that deny anything say nothing."""
    for sentence in SENTENCE.findall(text):
        if not DENIAL.search(sentence):
            yield from ((asks, sentence.strip()) for asks, pattern in ASKS.items() if pattern.search(sentence))


WRITERS: Final[tuple[Writer, ...]] = (
    _industry, _headcount, _country, _technologies, _funding_stage, _funding, _revenue, _founded, _seniority,
    _buying_signal, _location, _hiring,
)  # fmt: skip


def _draft(field: str, piece: Piece, value: Any, reading: Reading, dice: Dice, said: object = None) -> Draft:
    shown = value if said is None else said
    return Draft(field, value, worded(field, dice, reading.company, shown), piece.id, quote_of(piece))


def quote_of(piece: Piece) -> str:
    """The value as it stands in its line: a text as it is, a number by its digits."""
    return piece.value if isinstance(piece.value, str) else orjson.dumps(piece.value).decode()


def country_name(code: str) -> str:
    """The usual English name, with its article."""
    found = pycountry.countries.get(alpha_2=code)
    name = str(getattr(found, "common_name", found.name)) if found else code
    return f"the {name}" if code in ARTICLES else name


def dollars(value: object) -> str:
    """ "$12,000,000"; a range stays as it stands."""
    if not isinstance(value, int | float):
        return str(value)
    return f"${value:,.0f}" if value == int(value) else f"${value:,.2f}"


def _near(read: Callable[[Piece], Range | None], share: float) -> Callable[[Piece, Piece], bool]:
    def agree(one: Piece, other: Piece) -> bool:
        left, right = read(one), read(other)
        return left is None or right is None or left.overlaps(right, share)

    return agree
