"""Other rules over leads that were routed: capacity by the order of arrival, and what was open before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from revenueflow import defaults
from revenueflow.domain.lead import Tier
from revenueflow.routing.conditions import Subject
from revenueflow.routing.rules import RoutingRules, Territory
from revenueflow.routing.simulation import Past, Simulation

BEGAN = datetime(2026, 11, 16, 15, tzinfo=UTC)  # a Monday, in working hours of the United States
ANN, BOB = "dana-whitfield", "marcus-bell"


def rules(capacity: int | None) -> RoutingRules:
    """Two reps take turns with leads of the United States; the first has room for so many."""
    found = defaults.load(RoutingRules, "routing.toml")
    shared = found.territories[2].model_copy(update={"owner": None, "owners": (ANN, BOB)})
    reps = tuple(one.model_copy(update={"capacity": capacity if one.id == ANN else None}) for one in found.reps)
    return found.model_copy(update={"territories": (shared,), "existing_owner": False}).with_reps(reps)


def lead(number: int, touched_after: float | None = None) -> Past:
    """One comes each minute."""
    at = BEGAN + timedelta(minutes=number)
    touched = at + timedelta(minutes=touched_after) if touched_after is not None else None
    return Past(str(number), Subject("US", 12, None, Tier.HOT), at, ANN, touched)


def after(capacity: int | None, leads: list[Past], held: tuple[int, datetime | None] = (0, None)) -> dict[str, int]:
    simulation = Simulation(rules(capacity))
    if held[0]:
        simulation.hold(ANN, *held)
    for one in leads:
        simulation.add(one)
    return {one["rep_id"]: one["after"] for one in simulation.told()["load"] if one["rep_id"] in (ANN, BOB)}


@pytest.mark.parametrize(
    ("capacity", "touched_after", "share"),
    [
        (None, None, (10, 10)),  # no limit: turn by turn
        (3, None, (3, 17)),  # nobody touches anything: full after three
        (3, 0.5, (10, 10)),  # each is touched before the next one comes
        (1, 4.5, (4, 16)),  # full for four leads after each of its own
    ],
)
def test_a_lead_is_open_until_it_was_touched(
    capacity: int | None, touched_after: float | None, share: tuple[int, int]
) -> None:
    found = after(capacity, [lead(number, touched_after) for number in range(20)])
    assert (found[ANN], found[BOB]) == share


def test_what_was_open_before_counts_until_it_was_touched() -> None:
    leads = [lead(number) for number in range(10)]
    assert after(5, leads, (5, None)) == {ANN: 0, BOB: 10}
    assert after(5, leads, (5, BEGAN + timedelta(minutes=7))) == {ANN: 2, BOB: 8}
    assert after(5, leads, (5, BEGAN)) == {ANN: 5, BOB: 5}


def test_the_most_that_was_open_at_once() -> None:
    simulation = Simulation(rules(None))
    for number in range(10):
        simulation.add(lead(number, 3))
    (ann,) = (one for one in simulation.told()["load"] if one["rep_id"] == ANN)
    assert (ann["before"], ann["after"], ann["most_open"]) == (10, 5, 2)


@pytest.mark.parametrize(("existing_owner", "owner"), [(True, "lena-brandt"), (False, ANN)])
def test_whom_the_crm_has_named_it_names_again(existing_owner: bool, owner: str) -> None:
    table = rules(None).model_copy(update={"existing_owner": existing_owner})
    for kind in ("account_owner", "opportunity_owner"):
        simulation = Simulation(table)
        simulation.add(lead(1)._replace(owner_id="lena-brandt", **{kind: "lena-brandt"}))
        assert simulation.after == {owner: 1}


RULE = "territory:US small business"
SPREAD = [
    lead(180 + n)._replace(owner_id=owner, rule=RULE, version=rules(None).version)
    for n, owner in enumerate([BOB, BOB, ANN, BOB])
]


def simulated(draft: RoutingRules, leads: list[Past], in_force: RoutingRules | None = None) -> Simulation:
    simulation = Simulation(draft, in_force=in_force or rules(None))
    for one in leads:
        simulation.add(one)
    return simulation


def with_owners(*owners: str) -> RoutingRules:
    table = rules(None)
    shared = Territory.model_validate(table.territories[0].model_dump() | {"owners": owners})
    return table.model_copy(update={"territories": (shared,)})


def test_rules_that_change_nothing_move_nobody() -> None:
    assert simulated(rules(None), SPREAD).moves == []
    assert simulated(rules(None), [one._replace(version="0") for one in SPREAD]).moves == []  # they keep their turn
    company = [one._replace(subject=one.subject._replace(domain="x.example")) for one in SPREAD]
    whole = rules(None).model_copy(update={"existing_owner": True})
    assert simulated(whole, [company[0]._replace(rule="existing:company"), *company[1:]], whole).moves == []


def test_who_has_the_turn_keeps_it_while_they_take_part_and_a_new_rep_gets_a_share() -> None:
    third = "carmen-ortega"
    assert {one["from"] for one in simulated(with_owners(ANN), SPREAD).moves} == {BOB}
    assert simulated(with_owners(ANN, BOB), SPREAD, with_owners(ANN, BOB, third)).moves == []
    assert simulated(with_owners(ANN, BOB, third), SPREAD).after[third] > 0


def test_what_time_has_changed_moves_nobody_and_is_told_apart() -> None:
    leads = [lead(1)._replace(owner_id="lena-brandt", rule=RULE, version=rules(None).version)]
    simulation = simulated(rules(None), leads)
    assert (simulation.moves, simulation.changed_since) == ([], 1)
    assert simulated(rules(None), SPREAD).changed_since == 0


def test_whom_a_person_gave_a_lead_to_keeps_it() -> None:
    leads = [
        lead(1)._replace(owner_id="lena-brandt", rule=rule, version=rules(None).version)
        for rule in ("moved", "existing:moved")
    ]
    assert simulated(with_owners(BOB), leads).moves == []
