"""The labelled set: where the rules name one rep, that rep gets the lead; the other labels are mostly met too."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from revenueflow.cli import routing_files
from revenueflow.cli.routing_eval import route_all

DATA = Path(__file__).parents[2] / "data" / "routing"
RULES = routing_files.rules(DATA / "rules.toml", DATA / "reps.csv")
LEADS = list(routing_files.leads(DATA / "leads.csv"))
ROUTED = route_all(RULES, LEADS)


def test_the_set_is_what_its_readme_says() -> None:
    assert len(LEADS) == 365
    assert sum(row.decidable for row in LEADS) == 335
    assert len(RULES.reps) == 13
    assert {"US", "CA", "GB", "DE", "FR", "BR"} <= {row.subject.country for row in LEADS}
    assert {row.expected for row in LEADS} == {rep.id for rep in RULES.reps}


def test_every_rule_decidable_lead_is_routed_as_labelled() -> None:
    wrong = [
        (row.id, row.expected, one.owner_id, one.path)
        for row, one in zip(LEADS, ROUTED, strict=True)
        if row.decidable and row.expected != one.owner_id
    ]
    assert wrong == []


def test_of_all_at_least_95_of_100_are() -> None:
    hits = sum(row.expected == one.owner_id for row, one in zip(LEADS, ROUTED, strict=True))
    assert hits >= 0.95 * len(LEADS)


def test_every_decision_ends_with_its_rule_and_names_each_candidate_once() -> None:
    for one in ROUTED:
        assert one.path[-1].startswith(f"{one.rule}: yes")
        names = Counter(candidate.rep_id for candidate in one.candidates)
        assert set(names.values()) == {1}
        assert [c.rep_id for c in one.candidates if c.chosen] == [one.owner_id]
        assert all(c.reason for c in one.candidates if not c.chosen)
        assert (one.queued is not None) == (one.rule == "default")
