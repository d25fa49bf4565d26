"""Who of several gets a lead, and how each way shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from revenueflow.domain.lead import Intent, Tier
from revenueflow.domain.scoring import LeadFacts, Routing, Score
from revenueflow.routing.conditions import Subject
from revenueflow.routing.route import decided, route, shortlist
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.selection import Outcomes, Situation

MONDAY = datetime(2026, 11, 23, 15, tzinfo=UTC)
PEOPLE: dict[str, dict[str, Any]] = {
    "queue": {},
    "ann": {"languages": ["de", "en"], "expertise": ["software"], "teams": ["big"], "timezone": "Europe/Berlin"},
    "bob": {"languages": ["en"], "covered_by": "cem", "teams": ["big", "small"]},
    "cem": {"languages": ["tr", "en"], "capacity": 3, "teams": ["small"]},
}
SCORE = Score(total=50, tier=Tier.WARM, intent=Intent.LOW, fit=0, profile="p@1", factors=())


def rules(**changes: Any) -> RoutingRules:
    reps = [
        {"id": id_, "name": id_.title(), "email": f"{id_}@x.example", "timezone": "UTC", "country": "DE"} | person
        for id_, person in PEOPLE.items()
    ]
    table = {
        "version": "7", "default_owner": "queue", "reps": reps,
        "territories": [{"name": "all", "countries": ["DE"], "owners": ["ann", "bob", "cem"]}],
        "follow_up": {
            "working_hours": {"start": 9, "end": 17}, "hot": {"hours": 1}, "warm": {"days": 1}, "cold": {"days": 5},
        },
    }  # fmt: skip
    return RoutingRules.model_validate(table | changes)


def lead(**known: Any) -> Subject:
    return Subject("DE", None, None, Tier.WARM)._replace(**known)


def left(subject: Subject, situation: Situation | None = None, **changes: Any) -> list[str]:
    found = shortlist(rules(**changes), subject, situation or Situation(MONDAY))
    return [rep.id for rep in found.reps]


def test_without_anything_that_sets_them_apart_all_take_turns() -> None:
    assert left(lead()) == ["ann", "bob", "cem"]


@pytest.mark.parametrize(
    ("known", "who"),
    [
        ({"industry": "software"}, ["ann"]), ({"industry": "food"}, ["ann", "bob", "cem"]),
        ({"language": "de"}, ["ann"]), ({"language": "tr"}, ["cem"]), ({"language": "fi"}, ["ann", "bob", "cem"]),
        ({"language": "tr", "industry": "software"}, ["ann"]),
        ({"time_zone": "Asia/Tokyo"}, ["ann", "bob", "cem"]), ({"time_zone": "Not/There"}, ["ann", "bob", "cem"]),
    ],
)  # fmt: skip
def test_what_sets_them_apart(known: dict[str, Any], who: list[str]) -> None:
    assert left(lead(**known)) == who


def test_the_order_is_that_of_the_file() -> None:
    order = {"order": ["language", "expertise"]}
    assert left(lead(language="tr", industry="software"), selection=order) == ["cem"]


def test_hours_cover_and_the_next_opening() -> None:
    evening = Situation(MONDAY.replace(hour=16, minute=30))
    assert left(lead(), evening) == ["bob", "cem"]
    night = Situation(MONDAY.replace(hour=20))
    assert left(lead(), night) == ["ann"]
    assert left(lead(), night, selection={"out_of_hours": "assign"}) == ["ann", "bob", "cem"]


def test_who_is_full_gets_none_and_leave_is_covered() -> None:
    assert left(lead(), Situation(MONDAY, open_leads={"cem": 3})) == ["ann", "bob"]
    away = {**PEOPLE["bob"], "leave": [{"first": "2026-11-23", "last": "2026-11-24"}]}
    reps = [one.model_dump() | (away if one.id == "bob" else {}) for one in rules().reps]
    only = [{"name": "all", "countries": ["DE"], "owner": "bob"}]
    found = shortlist(rules(reps=reps, territories=only), lead(), Situation(MONDAY))
    assert [rep.id for rep in found.reps] == ["cem"]
    assert "cem stands in for bob" in found.path
    assert found.why_not["bob"] == "on leave until 2026-11-24"


def test_who_converts_more_goes_first_once_there_is_enough_to_tell() -> None:
    few = {"ann": Outcomes(1, 1), "bob": Outcomes(0, 1)}
    many = {"ann": Outcomes(40, 100), "bob": Outcomes(5, 100), "cem": Outcomes(38, 100)}
    assert left(lead(), Situation(MONDAY, outcomes=few)) == ["ann", "bob", "cem"]
    assert left(lead(), Situation(MONDAY, outcomes=many)) == ["ann", "cem"]


def test_a_segment_leaves_those_of_its_team() -> None:
    segments = [
        {"name": "large", "team": "big", "min_headcount": 100},
        {"name": "rest", "team": "small", "max_headcount": 99},
    ]
    assert left(lead(headcount=100), segments=segments) == ["ann", "bob"]
    assert left(lead(headcount=99), segments=segments) == ["bob", "cem"]
    assert left(lead(), segments=segments) == ["ann", "bob", "cem"]


def again(excluded: dict[str, str], **changes: Any) -> Routing:
    facts = LeadFacts(campaign_id="default", country="DE")
    return route(rules(**changes), facts, SCORE, Situation(MONDAY, excluded=excluded))


def test_the_next_rep_is_another_one_with_the_reason_why() -> None:
    routing = again({"ann": "missed the SLA"})
    assert routing.owner_id in ("bob", "cem")
    assert {one.rep_id: one.reason for one in routing.candidates}["ann"] == "missed the SLA"
    nobody = again({"ann": "x", "bob": "x", "cem": "x"})
    assert (nobody.owner_id, nobody.queued) == ("queue", "nobody")
    only = [{"name": "all", "countries": ["DE"], "owner": "bob"}]
    assert again({"bob": "missed the SLA"}, territories=only).owner_id == "cem"


def test_an_owner_goes_first_unless_gone() -> None:
    def owner(**owners: str) -> Routing:
        table = rules()
        found = shortlist(table, lead(), Situation(MONDAY, **owners))  # type: ignore[arg-type]
        return decided(table, found, found.reps[0].id)

    assert owner(account_owner="cem").rule == "existing:account"
    assert owner(account_owner="cem", opportunity_owner="bob").owner_id == "bob"
    assert owner(account_owner="queue").rule == "territory:all"
    gone = owner(account_owner="zoe")
    assert gone.rule == "territory:all"
    assert gone.path[0] == "existing:account: no, zoe: no rep has this id"
    assert {one.rep_id: one.reason for one in gone.candidates}["zoe"] == "no rep has this id"
