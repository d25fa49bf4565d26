"""What it costs to score and route a lead: processor time, without the database.

    python -m bench.routing

The leads are those of the labelled set (tests/data/routing), by its rules and by the shipped ones; each is scored by
the shipped profile (rules only), then routed with its turn. Prints JSON, in milliseconds of processor time for a lead:
median and 95th percentile. `many` has `--territories` territories by postcode, which fit nobody, before the shipped
ones. `floor` is what orjson takes to write the same facts, in the same run.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from bench.stack import print_json
from revenueflow import defaults
from revenueflow.cli import routing_files
from revenueflow.domain.scoring import LeadFacts, Score
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.routing.route import decided, shortlist
from revenueflow.routing.rows import Row
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.turns import Rotation, next_turn
from revenueflow.scoring.profile import Profile
from revenueflow.scoring.score import score

DATA = Path(__file__).parents[1] / "tests" / "data" / "routing"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--territories", type=int, default=200)
    args = parser.parse_args()
    leads = list(routing_files.leads(DATA / "leads.csv"))
    labelled = routing_files.rules(DATA / "rules.toml", DATA / "reps.csv")
    shipped = defaults.load(RoutingRules, "routing.toml")
    many = _many(shipped, args.territories)
    gc.collect()
    gc.freeze()
    told: dict[str, Any] = {"leads": len(leads)}
    told["floor"] = _timed(leads, args.rounds, lambda row: orjson.dumps(_facts(row).model_dump()))
    told["score"] = _timed(leads, args.rounds, _scored)
    for name, rules in (("labelled", labelled), ("shipped", shipped), ("many", many)):
        told[f"route_{name}"] = _timed(leads, args.rounds, _router(rules))
        told[f"both_{name}"] = _timed(leads, args.rounds, _both(rules))
    told["under_1_ms"] = all(told[f"both_{name}"]["p95"] < 1 for name in ("labelled", "shipped", "many"))
    print_json(told)


_VOCABULARY = defaults.load(Vocabulary, "vocabulary.toml")
_PROFILE = defaults.load(Profile, "scoring/grounded.toml")


def _facts(row: Row) -> LeadFacts:
    lead = row.subject
    return LeadFacts(
        campaign_id="default", company=lead.company, domain=lead.domain, title="VP Operations", industry=lead.industry,
        headcount=lead.headcount, country=lead.country, source="referral", email_given=True, name_given=True,
    )  # fmt: skip


def _scored(row: Row) -> Score:
    return score(_PROFILE, _facts(row), None, _VOCABULARY)


def _router(rules: RoutingRules) -> Callable[[Row], object]:
    rotations: dict[str, Rotation] = {}

    def route(row: Row) -> object:
        found = shortlist(rules, row.subject, row.situation)
        rep_id = found.reps[0].id if found.reps else None
        if len(found.reps) > 1:
            rep_id, rotations[found.pool] = next_turn(rotations.get(found.pool, Rotation()), found.reps)
        return decided(rules, found, rep_id)

    return route


def _both(rules: RoutingRules) -> Callable[[Row], object]:
    route = _router(rules)
    return lambda row: (_scored(row), route(row))


def _many(shipped: RoutingRules, count: int) -> RoutingRules:
    """Territories by postcode that nobody is in, before the shipped ones."""
    fields = shipped.model_dump(mode="json", exclude_none=True)
    narrow = [
        {"name": f"narrow {n}", "countries": ["US"], "postcodes": [f"{n:03}9"], "owner": "dana-whitfield"}
        for n in range(count)
    ]
    return RoutingRules.model_validate(fields | {"territories": [*narrow, *fields["territories"]]})


def _timed(leads: Sequence[Row], rounds: int, work: Callable[[Row], object]) -> dict[str, float]:
    """Milliseconds of processor time for a lead: each round goes over all leads."""
    found = []
    for _ in range(rounds):
        for lead in leads:
            start = time.process_time_ns()
            work(lead)
            found.append((time.process_time_ns() - start) / 1e6)
    cuts = statistics.quantiles(found, n=20)
    return {"median": round(statistics.median(found), 4), "p95": round(cuts[-1], 4)}


if __name__ == "__main__":
    main()
