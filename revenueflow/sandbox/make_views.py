"""What each vendor says of a company: parts are missing, late, rounded or wrong, as they are in real data."""

from __future__ import annotations

from random import Random
from typing import Any

Row = dict[str, Any]
RANGES = (10, 50, 250, 1000, 5000, 10_000, 50_000, 100_000)
STAGE_NAMES = {
    "pre_seed": "Pre-Seed",
    "seed": "Seed",
    "series_a": "Series A",
    "series_b": "Series B",
    "series_c": "Series C",
    "series_d": "Series D",
    "private_equity": "Private Equity",
    "public": "IPO",
}


def clearbit_view(truth: Row, tables: Row, random: Random) -> Row:
    """Close to the truth; revenue is often an estimate by range."""
    labels = tables["industries"][truth["industry"]]["labels"]
    return _common(truth, random) | {
        "industry": random.choice(labels),
        "headcount": round(truth["headcount"] * random.uniform(0.98, 1.02)) if random.random() < 0.92 else None,
        "country": truth["country"],
        "country_name": truth["country_name"],
        "technologies": _subset(truth["technologies"], random, 0.85),
        "funding_total": _maybe(truth["funding_total"], random, 0.8),
        "revenue": _maybe(truth["revenue"], random, 0.4),
        "revenue_range": _revenue_range(truth["revenue"]) if random.random() < 0.6 else None,
        "founded_year": _maybe(truth["founded_year"], random, 0.85),
    }


def hunter_view(truth: Row, tables: Row, random: Random) -> Row:
    """Its own words for industries and products; now and then stale or plainly wrong."""
    table = tables["industries"][truth["industry"]]
    misfiled = random.random() < 0.06
    moved = random.random() < 0.04
    country = random.choice([code for code in tables["countries"] if code != truth["country"]])
    known = [tables["synonyms"].get(name, name) for name in _subset(truth["technologies"], random, 0.7)]
    return _common(truth, random) | {
        "industry": table["aside"] if misfiled else random.choice(table["near"]),
        "misfiled": misfiled,
        "headcount": _headcount(truth["headcount"], random),
        "country": country if moved else truth["country"],
        "country_name": tables["countries"][country] if moved else truth["country_name"],
        "technologies": known,
        "funding_total": _maybe(truth["funding_total"], random, 0.7),
        "funding_stage": STAGE_NAMES.get(truth["funding_stage"] or "") if random.random() < 0.8 else None,
        "revenue": _maybe(truth["revenue"], random, 0.3),
        "founded_year": _year(truth["founded_year"], random),
    }


def _common(truth: Row, random: Random) -> Row:
    return {
        "name": truth["name"],
        "city": truth["city"] if random.random() < 0.9 else None,
        "headcount_range": _range(truth["headcount"]),
        "description": truth["description"] if random.random() < 0.85 else None,
    }


def _headcount(truth: int, random: Random) -> int | None:
    """Mostly near; for one in five only the range is known; some are off by a little, a few by a lot."""
    draw = random.random()
    if draw < 0.2:
        return None
    if draw < 0.75:
        return max(1, round(truth * random.uniform(0.93, 1.08)))
    if draw < 0.9:
        return max(1, round(truth * random.choice((0.72, 1.3))))
    return max(1, round(truth * random.choice((0.3, 3.2))))


def _year(truth: int, random: Random) -> int | None:
    draw = random.random()
    if draw < 0.3:
        return None
    return truth if draw < 0.94 else truth + random.choice((-7, -3, 3, 5))


def _maybe(value: Any, random: Random, share: float) -> Any:
    return int(value) if value is not None and random.random() < share else None


def _subset(names: list[str], random: Random, share: float) -> list[str]:
    kept = [name for name in names if random.random() < share]
    return kept or names[:1]


def _range(count: int) -> str:
    low = 1
    for high in RANGES:
        if count <= high:
            return f"{low}-{high}"
        low = high + 1
    return f"{low}+"


def _revenue_range(revenue: float | None) -> str | None:
    if not revenue:
        return None
    millions = revenue / 1e6
    for low, high in (
        (0, 1),
        (1, 10),
        (10, 50),
        (50, 100),
        (100, 250),
        (250, 500),
        (500, 1000),
        (1000, 10_000),
    ):
        if millions <= high:
            return f"${low}M-${high}M"
    return "$10B+"
