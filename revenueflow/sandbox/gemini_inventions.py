"""Invented claims: false by all of the evidence, and each caught by another check.

Five kinds in turn: a wrong value with the real citation; a technology that no list has; a citation that
doesn't exist; a quote that isn't there; a plan of which nobody spoke. Each comes next to a true claim, never instead
of it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from revenueflow.domain.quantity import Range, count_range, money
from revenueflow.domain.vocabulary import Kind
from revenueflow.sandbox.dice import Dice
from revenueflow.sandbox.gemini_claims import LEVELS, Draft, country_name, dollars
from revenueflow.sandbox.gemini_evidence import Piece, Reading, amount_of, count_of
from revenueflow.sandbox.gemini_plans import invented_plan, other_city, other_jobs, worded
from revenueflow.sandbox.gemini_words import INVENTED_SIGNALS, WORDINGS

FAR_INDUSTRIES: Final = (
    "Agriculture",
    "Aerospace",
    "Legal Services",
    "Nonprofit",
    "Construction",
    "Education",
    "Travel",
)
FAR_COUNTRIES: Final = ("BR", "JP", "ZA", "NO", "NZ", "CA", "VN", "EG")
STAGES: Final = ("Series D", "Seed", "Series A", "Series C", "Pre-Seed")
PRODUCTS: Final = (
    "Snowflake", "Workday", "Marketo", "Shopify", "ServiceNow", "Databricks", "Zendesk", "Splunk", "Kafka",
    "NetSuite",
)  # fmt: skip
OPPOSITES: Final = {
    "c_level": "individual", "vp": "individual", "director": "individual", "manager": "c_level",
    "individual": "c_level",
}  # fmt: skip
FACTORS: Final = (10.0, 100.0, 7.0, 1000.0)
FAR: Final = 0.5
KINDS: Final = 5
NO_SUCH: Final = 97


def with_inventions(true: Iterable[Draft], reading: Reading, dice: Dice, rate: float) -> list[tuple[Draft, bool]]:
    """The true claims in order, behind each perhaps an invented one (True)."""
    written: list[tuple[Draft, bool]] = []
    turn = int(dice.roll("first kind") * KINDS)
    for place, draft in enumerate(true):
        written.append((draft, False))
        if not dice.happens(f"invent/{place}", rate):
            continue
        made_up = _invented(turn, draft, reading, dice, [other for other, _ in written])
        if made_up:
            written.append((made_up, True))
            turn += 1
    return written


def _invented(turn: int, draft: Draft, reading: Reading, dice: Dice, taken: Container[Draft]) -> Draft | None:
    """One of the kind whose turn it is, or of the next kind that is possible here, and not said before."""
    kinds = (_wrong_value, _missing_technology, _no_such_citation, _no_such_quote, partial(_no_such_plan, turn))
    tries = (kinds[(turn + step) % KINDS](draft, reading, dice) for step in range(KINDS))
    return next((found for found in tries if found and found not in taken), None)


def _wrong_value(draft: Draft, reading: Reading, dice: Dice) -> Draft | None:
    return _falsehood(draft, reading, dice) if draft.field != "buying_signal" else None


def _missing_technology(draft: Draft, reading: Reading, dice: Dice) -> Draft | None:
    lists = reading.of("technologies")
    product = _other_product(draft, reading, dice)
    if not lists or product is None:
        return None
    return Draft("technology", product, worded("technology", dice, reading.company, product), lists[0].id, None)


def _no_such_citation(draft: Draft, reading: Reading, dice: Dice) -> Draft | None:
    found = _falsehood(draft, reading, dice)
    return found and replace(found, evidence_id=f"E{max(NO_SUCH, len(reading.pieces) + 50)}")


def _no_such_quote(draft: Draft, reading: Reading, dice: Dice) -> Draft | None:
    found = _falsehood(draft, reading, dice)
    return found and replace(found, quote=found.statement.rstrip("."))


def _no_such_plan(turn: int, draft: Draft, reading: Reading, dice: Dice) -> Draft | None:  # noqa: ARG001
    made_up = invented_plan(reading, dice, turn // KINDS)
    if made_up is None:
        return None
    field, value, statement, evidence_id = made_up
    return Draft(field, value, statement, evidence_id, None)


def _falsehood(draft: Draft, reading: Reading, dice: Dice) -> Draft | None:
    """The same kind of claim on the same evidence, false; None where nothing surely false is at hand."""
    if draft.field == "buying_signal":
        return _signal(draft, reading, dice)
    value = FALSE[draft.field](draft, reading, dice)
    if value is None:
        return None
    said = worded(draft.field, dice, reading.company, _said(draft.field, value), "invented")
    return replace(draft, value=value, statement=said)


def _said(field: str, value: Any) -> object:
    if field == "country":
        return country_name(value)
    if field == "seniority":
        return LEVELS[value]
    return dollars(value) if field in ("funding_amount", "revenue") else value


def _signal(draft: Draft, reading: Reading, dice: Dice) -> Draft | None:
    said = reading.named("buying_signal")
    other = [name for name in INVENTED_SIGNALS if name not in said]
    if not other:
        return None
    name = dice.pick("invented/signal", other)
    statement = dice.pick(f"invented/{name}", WORDINGS[name])
    return replace(draft, statement=statement)


def _other_product(draft: Draft, reading: Reading, dice: Dice) -> str | None:
    text = reading.text.casefold()
    missing = [product for product in PRODUCTS if product.casefold() not in text]
    return dice.pick(f"invented/{draft.field}/{draft.value}", missing) if missing else None


def _technology(draft: Draft, reading: Reading, dice: Dice) -> Any:
    return _other_product(draft, reading, dice)


def _industry(_: Draft, reading: Reading, dice: Dice) -> Any:
    return _unnamed("industry", FAR_INDUSTRIES, reading, dice, reading.vocabulary.industry)


def _country(_: Draft, reading: Reading, dice: Dice) -> Any:
    return _unnamed("country", FAR_COUNTRIES, reading, dice, reading.vocabulary.country)


def _stage(_: Draft, reading: Reading, dice: Dice) -> Any:
    return _unnamed("funding_stage", STAGES, reading, dice, reading.vocabulary.funding_stage)


def _unnamed(
    kind: Kind, names: Iterable[str], reading: Reading, dice: Dice, canonical: Callable[[str], str | None]
) -> str | None:
    """A name that no piece gives as its value, and no text mentions."""
    given = {canonical(piece.text) for piece in reading.pieces if piece.signal == kind}
    left = [name for name in names if canonical(name) not in given | reading.named(kind)]
    return dice.pick(f"invented/{kind}", left) if left else None


def _level(draft: Draft, reading: Reading, dice: Dice) -> Any:  # noqa: ARG001
    held = {reading.vocabulary.seniority(piece.text) for piece in reading.pieces if piece.signal == "title"}
    held |= {reading.vocabulary.seniority_level(piece.text) for piece in reading.pieces if piece.signal == "seniority"}
    other = OPPOSITES[draft.value]
    return None if other in held else other


def _year(draft: Draft, reading: Reading, dice: Dice) -> Any:  # noqa: ARG001
    candidates = (int(draft.value) + step for step in (7, -7, 11, -11, -23))
    near = [{str(year + off) for off in (-1, 0, 1)} for year in candidates]
    return next((int(min(years)) + 1 for years in near if not years & reading.numbers), None)


def _count(draft: Draft, reading: Reading, dice: Dice) -> Any:  # noqa: ARG001
    return _multiple(count_range(draft.value), reading, "headcount", count_of)


def _amount(draft: Draft, reading: Reading, dice: Dice) -> Any:  # noqa: ARG001
    found = money(draft.value)
    signal = "revenue" if draft.field == "revenue" else "funding_total"
    return _multiple(found.amount if found else None, reading, signal, amount_of)


def _multiple(true: Range | None, reading: Reading, signal: str, read: Callable[[Piece], Range | None]) -> int | None:
    """A multiple that is far from every value given, and whose digits stand nowhere."""
    top = true and (true.high or true.low)
    if not top:
        return None
    given = [read(piece) for piece in reading.pieces if piece.signal == signal]
    for number in (round(top * factor) for factor in FACTORS):
        far = all(each is None or not Range(low=number, high=number).overlaps(each, FAR) for each in given)
        if far and str(number) not in reading.numbers:
            return number
    return None


def _city(draft: Draft, reading: Reading, dice: Dice) -> Any:  # noqa: ARG001
    return other_city(reading, dice)


def _jobs(draft: Draft, reading: Reading, dice: Dice) -> Any:  # noqa: ARG001
    return other_jobs(int(draft.value), dice)


FALSE: Final[dict[str, Callable[[Draft, Reading, Dice], Any]]] = {
    "industry": _industry,
    "headcount": _count,
    "country": _country,
    "technology": _technology,
    "funding_stage": _stage,
    "funding_amount": _amount,
    "revenue": _amount,
    "founded_year": _year,
    "seniority": _level,
    "location": _city,
    "hiring": _jobs,
}
