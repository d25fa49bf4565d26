"""The true claims of a lead, from every field and in a model's words."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.support.adversarial_leads import Company, Wish
from tests.support.adversarial_words import HEDGED, WORDINGS

PLACES: Final = {
    "company_name": "E1", "industry": "E2", "headcount": "E3", "country": "E4", "city": "E5", "technologies": "E6",
    "funding_total": "E7", "funding_stage": "E8", "revenue": "E9", "founded_year": "E10", "job_postings": "E11",
    "news": "E12", "title": "E13", "message": "E14", "posts": "E17",
}  # fmt: skip
LEVELS: Final = {
    "c_level": "C-level", "vp": "VP", "director": "director", "manager": "manager", "individual": "individual",
}  # fmt: skip
STAGES: Final = {
    "Series A": "Series A", "Series B": "Series B", "Series D": "Series D", "Seed": "Seed", "Pre-Seed": "pre-seed",
    "Publicly Traded": "publicly traded", "Private Equity": "private equity",
}  # fmt: skip
ABSENT: Final = ("Pendo", "Asana", "Amplitude", "Segment", "Braze")
NUMBERS: Final = ("zero", "one", "two", "three", "four", "five")
EACH: Final = 3
TRUE: Final = "true"
SELF: Final = "true_self_reported"


@dataclass(frozen=True)
class Draft:
    """A claim before it has an id. `signal` is what it is about; `label` what it is, once it was mutated."""

    field: str
    value: Any
    statement: str
    citations: tuple[tuple[str, str | None], ...]
    signal: str = ""
    kind: str = TRUE
    label: str = "unsupported"

    def shown(self) -> dict[str, Any]:
        """In the form of the file."""
        cited = [{"evidence_id": name} | ({"quote": quote} if quote else {}) for name, quote in self.citations]
        return {"statement": self.statement, "field": self.field, "value": self.value, "citations": cited}


def true_claims(company: Company, chance: random.Random) -> Iterator[Draft]:
    """About forty."""
    yield from _facts(company, chance)
    yield from _numbers(company, chance)
    yield from _technologies(company, chance)
    yield from _jobs(company, chance)
    yield from _news(company, chance)
    yield from _person(company, chance)
    for name in ("use_case", "budget", "timeline", "competitor"):
        yield from _wish(name, getattr(company, name))


def hedged_claims(company: Company, chance: random.Random) -> Iterator[Draft]:
    """A few that say that they don't know."""
    for name, value, statement in chance.sample(HEDGED, 4):
        cited = () if chance.random() < 0.5 else ((PLACES["message"], None),)
        yield Draft(name, value, statement, cited, kind="hedged")


def _said(name: str, company: Company, chance: random.Random, value: object, count: int = EACH) -> list[str]:
    chosen = chance.sample(WORDINGS[name], min(count, len(WORDINGS[name])))
    texts = [text.format(c=chance.choice(company.said), v=value) for text in chosen]
    return [text[0].upper() + text[1:].replace(" The company", " the company") for text in texts]


def _cite(signal: str, quote: Any, chance: random.Random) -> tuple[tuple[str, str | None], ...]:
    """With a verbatim quote, mostly."""
    return ((PLACES[signal], str(quote) if chance.random() < 0.7 else None),)


def _facts(company: Company, chance: random.Random) -> Iterator[Draft]:
    facts = (
        ("industry", "industry", company.industry[0], company.industry[1]),
        ("country", "country", company.country[0], company.country[1]),
        ("location", "city", company.city[0], company.city[1]),
        ("funding_stage", "funding_stage", company.stage, STAGES[company.stage]),
    )
    for name, signal, vendor, said in facts:
        for text in _said(name, company, chance, said):
            value = said.removeprefix("the ") if chance.random() < 0.5 else vendor
            yield Draft(name, value, text, _cite(signal, vendor, chance), signal)
    place = f"{company.city[1]}, {company.country[1].removeprefix('the ')}"
    cited = ((PLACES["city"], company.city[0]), (PLACES["country"], None))
    yield Draft("location", place, f"{company.said[0]} is headquartered in {place}.", cited, "city")


def _numbers(company: Company, chance: random.Random) -> Iterator[Draft]:
    for text in _said("headcount", company, chance, headcount_said(company), 3):
        yield Draft("headcount", company.headcount, text, _cite("headcount", company.headcount, chance), "headcount")
    if isinstance(company.headcount, int):
        rounded = company.headcount // 100 * 100 if company.headcount > 100 else company.headcount // 10 * 10
        for value, said in (
            (f"over {rounded}", f"over {rounded:,}"),
            (company.headcount, f"about {company.headcount:,}"),
        ):
            text = _said("headcount", company, chance, said, 1)[0]
            yield Draft("headcount", value, text, _cite("headcount", company.headcount, chance), "headcount")
    for text in _said("founded_year", company, chance, company.founded):
        yield Draft(
            "founded_year", company.founded, text, _cite("founded_year", company.founded, chance), "founded_year"
        )
    low, high = company.founded - 2, company.founded + 3
    span = f"{company.said[0]} was founded between {low} and {high}."
    yield Draft("founded_year", f"between {low} and {high}", span, ((PLACES["founded_year"], None),), "founded_year")
    for name, signal, amount in (
        ("funding_amount", "funding_total", company.funding),
        ("revenue", "revenue", company.revenue),
    ):
        if amount:
            for text in _said(name, company, chance, money_said(amount, chance), 3):
                yield Draft(name, amount, text, _cite(signal, amount, chance), signal)


def headcount_said(company: Company) -> str:
    """A number with separators, a range without its words."""
    count = company.headcount
    return f"{count:,}" if isinstance(count, int) else str(count).replace(" Mitarbeiter", "")


def money_said(amount: Any, chance: random.Random) -> str:
    """As models write amounts: "$48 million", "$48M", "$48,000,000"; a range as it stands."""
    if not isinstance(amount, int):
        return str(amount).replace("Mio.", "million")
    scale, word, short = (10**9, "billion", "B") if amount >= 10**9 else (10**6, "million", "M")
    number = f"{amount / scale:g}"
    return chance.choice((f"${number} {word}", f"${number}{short}", f"${amount:,}", f"{amount:,} US dollars"))


def _technologies(company: Company, chance: random.Random) -> Iterator[Draft]:
    for product in chance.sample(company.technologies, 3):
        text = _said("technology", company, chance, product, 1)[0]
        yield Draft("technology", product, text, _cite("technologies", product, chance), "technologies")
    pair = list(company.technologies[:2])
    both = f"{company.said[0]} uses {pair[0]} and {pair[1]}."
    yield Draft("technology", pair, both, ((PLACES["technologies"], pair[0]),), "technologies")
    missing = chance.choice(ABSENT)
    text = _said("technology_absent", company, chance, missing, 1)[0]
    yield Draft("technology_absent", missing, text, ((PLACES["technologies"], None),), "technologies")


def _jobs(company: Company, chance: random.Random) -> Iterator[Draft]:
    signal, cited = "job_postings", ((PLACES["job_postings"], None),)
    for role, count, plural in company.roles:
        for text in _said("hiring", company, chance, role, 1):
            yield Draft("hiring", role, text, cited, signal)
        if count > 1:
            text = chance.choice(WORDINGS["hiring_count"]).format(c=company.said[0], n=_number(count, chance), p=plural)
            yield Draft("hiring", chance.choice((count, f"{count} {plural}")), text, cited, signal)
    total = len(company.jobs)
    text = chance.choice(WORDINGS["hiring_total"]).format(c=company.said[0], n=_number(total, chance))
    yield Draft("hiring", total, text, cited, signal)


def _number(count: int, chance: random.Random) -> str:
    return chance.choice((str(count), NUMBERS[count]))


def _news(company: Company, chance: random.Random) -> Iterator[Draft]:
    product, place = company.launch
    quote = company.news[place] if chance.random() < 0.5 else product
    for text in _said("product_launch", company, chance, product, 3):
        yield Draft("product_launch", product, text, ((PLACES["news"], quote),), "news")
    city, place = company.office
    for text in _said("office", company, chance, city):
        yield Draft("location", city, text, ((PLACES["news"], city),), "news")


def _person(company: Company, chance: random.Random) -> Iterator[Draft]:
    title, level, department = company.title
    for name, value, said in (("seniority", level, LEVELS[level]), ("department", department, department)):
        for text in _said(name, company, chance, said, 1):
            yield Draft(name, value, text, _cite("title", title, chance), "title", kind=SELF)
    for ask in company.asks:
        text = _said("buying_signal", company, chance, ask, 1)[0]
        yield Draft("buying_signal", None, text, ((PLACES["message"], None),), "message", kind=SELF)


def _wish(name: str, wish: Wish) -> Iterator[Draft]:
    for place, text in enumerate(wish.statements):
        cited = ((PLACES["message"], wish.quote if place % 2 == 0 else None),)
        yield Draft(name, wish.value, text, cited, "message", kind=SELF)
