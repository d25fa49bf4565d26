"""What pipe0, Apollo and ZoomInfo say of a company: made from the truth when they are asked, the same each time.

Their views are not in data/companies.json: the labels of the sample were made before there were these vendors.
"""

from __future__ import annotations

from random import Random
from typing import Any, Final

Row = dict[str, Any]
KNOWN: Final = {"pipe0": 0.9, "apollo": 0.88, "zoominfo": 0.85}
"""The share of the companies that each of them knows."""
MILLIONS: Final = (0, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 5000)
STAGES: Final = {
    "seed": "Seed",
    "series_a": "Series A",
    "series_b": "Series B",
    "series_c": "Series C",
    "series_d": "Series D",
    "private_equity": "Private Equity",
}


def view(vendor: str, domain: str, truth: Row) -> Row | None:
    """The company as `vendor` knows it, with the columns of the views in companies.json; None if it doesn't."""
    random = Random(f"{vendor}/{domain}")
    if random.random() > KNOWN[vendor]:
        return None
    return {
        "name": truth["name"],
        "industry": truth["industry"].replace("_", " "),
        "headcount": round(truth["headcount"] * random.uniform(0.95, 1.05)) or 1,
        "country": truth["country"],
        "country_name": truth["country_name"],
        "city": truth["city"] if random.random() < 0.9 else None,
        "description": truth["description"] if random.random() < 0.9 else None,
        "technologies": [name for name in truth["technologies"] if random.random() < 0.9],
        "funding_total": _whole(truth["funding_total"]) if random.random() < 0.8 else None,
        "funding_stage": STAGES.get(truth["funding_stage"] or ""),
        **_revenue(vendor, truth["revenue"] if random.random() < 0.7 else None),
        "founded_year": truth["founded_year"] if random.random() < 0.9 else None,
    }


def _revenue(vendor: str, revenue: float | None) -> Row:
    """ZoomInfo tells a range."""
    if vendor != "zoominfo" or not revenue:
        return {"revenue": _whole(revenue)}
    high = next((one for one in MILLIONS if revenue <= one * 1_000_000), None)
    low = MILLIONS[MILLIONS.index(high) - 1] if high else MILLIONS[-1]
    return {"revenue_range": f"${low} mil. - ${high} mil." if high else f"Over ${low} mil."}


def news(facts: Row) -> list[str]:
    """What was written about a company."""
    stage = facts.get("funding_stage")
    told = [f"{facts['name']} announced a {stage} round."] if stage else []
    return [*told, f"{facts['name']} is hiring in {facts.get('city') or 'several places'}."]


def jobs(facts: Row) -> list[str]:
    """Titles of the jobs that a company offers."""
    tools = facts.get("technologies") or []
    return [f"{tool} administrator" for tool in tools[:2]] or ["Account Executive"]


def posts(person: Row) -> list[str]:
    """What a person wrote in public."""
    return [f"Looking back on my first year as {person['title']}.", "Any tips on tools for lead routing?"]


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
