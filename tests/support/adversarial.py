"""The adversarial set: true claims in a model's words, and what becomes of them by mutation. The same for a seed.

`python -m tests.support.adversarial` writes tests/data/adversarial.jsonl: a lead a line, then a record a line
(adversarial_records), in the form that `revenueflow eval grounding` reads, with `kinds` {claim id: kind of truth or
mutation}. Hedged claims have no label.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from tests.support import adversarial_records
from tests.support.adversarial_false import MUTATIONS
from tests.support.adversarial_leads import COMPANIES, Company
from tests.support.adversarial_true import Draft, hedged_claims, true_claims

FILE: Final = Path(__file__).parents[1] / "data" / "adversarial.jsonl"
SEED: Final = 20261102
FETCHED: Final = "2026-11-02T09:00:00Z"
OLD: Final = "2024-05-06T09:00:00Z"
EACH: Final = 2
"""How many drafts each mutation takes of each kind of claim and lead, where there are so many."""


@dataclass
class Lead:
    """One line of the file."""

    evidence: list[dict[str, Any]]
    claims: list[dict[str, Any]] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def add(self, draft: Draft, kind: str, label: str | None) -> None:
        """Adds a claim under the next id."""
        name = f"C{len(self.claims) + 1}"
        self.claims.append({"id": name} | draft.shown())
        self.kinds[name] = kind
        if label:
            self.labels[name] = label


def leads(seed: int = SEED) -> list[Lead]:
    """All leads with their claims."""
    return [_lead(company, random.Random(f"{seed}/{company.name}")) for company in COMPANIES]


def lines(seed: int = SEED) -> bytes:
    """The file: a line for each lead, then one for each record."""
    of_leads = (
        {"evidence": one.evidence, "claims": one.claims, "labels": one.labels, "kinds": one.kinds}
        for one in leads(seed)
    )
    rows = (*of_leads, *adversarial_records.rows(seed))
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _lead(company: Company, chance: random.Random) -> Lead:
    lead = Lead(list(evidence(company)))
    true = list(true_claims(company, chance))
    for draft in true:
        lead.add(draft, draft.kind, "supported")
    for draft in hedged_claims(company, chance):
        lead.add(draft, "hedged", None)
    seen = {(draft.field, str(draft.value), draft.statement, str(draft.citations)) for draft in true}
    for name, mutate in MUTATIONS.items():
        for draft in _sampled(true, chance):
            made = mutate(draft, company, chance)
            if made is None:
                continue
            known = (made.field, str(made.value), made.statement, str(made.citations))
            if known not in seen:
                seen.add(known)
                lead.add(made, name, made.label)
    return lead


def _sampled(true: list[Draft], chance: random.Random) -> Iterator[Draft]:
    """A few drafts of each field, in the order of the fields."""
    by_field: dict[str, list[Draft]] = {}
    for draft in true:
        by_field.setdefault(draft.field, []).append(draft)
    for drafts in by_field.values():
        yield from chance.sample(drafts, min(EACH, len(drafts)))


def evidence(company: Company) -> Iterator[dict[str, Any]]:
    """E1 … in the order of `PLACES`, then what the form says, then an old post."""
    vendor = {
        "company_name": company.name,
        "industry": company.industry[0],
        "headcount": company.headcount,
        "country": company.country[0],
        "city": company.city[0],
        "technologies": list(company.technologies),
        "funding_total": company.funding or None,
        "funding_stage": company.stage,
        "revenue": company.revenue,
        "founded_year": company.founded,
        "job_postings": list(company.jobs),
        "news": list(company.news),
    }
    for place, (signal, data) in enumerate(vendor.items(), start=1):
        yield _piece(place, "clearbit" if place < 11 else "pipe0", signal, data, "vendor")
    yield _piece(13, "form", "title", company.title[0], "self_reported")
    yield _piece(14, "form", "message", company.message, "self_reported")
    yield _piece(15, "hunter", "industry", company.industry[0], "vendor")
    yield _piece(16, "hunter", "founded_year", company.founded, "vendor")
    yield _piece(17, "pipe0", "posts", [STALE], "self_reported", OLD)
    for place, (signal, data) in enumerate(company.form.items(), start=18):
        yield _piece(place, "form", signal, data, "self_reported")


STALE: Final = "We have to pick a data warehouse and go live next month."
"""A post of two and a half years ago."""


def _piece(place: int, provider: str, signal: str, data: Any, trust: str, fetched_at: str = FETCHED) -> dict[str, Any]:
    return {
        "id": f"E{place}",
        "provider": provider,
        "data": data,
        "trust": trust,
        "signal": signal,
        "path": f"$.{signal}",
        "fetched_at": fetched_at,
    }


def main() -> None:
    """Writes the file."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(lines())


if __name__ == "__main__":
    main()
