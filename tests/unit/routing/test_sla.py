"""Who is to touch a lead until when, and who is next."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from revenueflow import defaults
from revenueflow.domain.lead import Tier
from revenueflow.routing.reps import Leave, WorkingHours
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.sla import Ask, Sla, TierSla, after, next_of_country, timer

ROUTING = defaults.load(RoutingRules, "routing.toml")
SLA = defaults.load(Sla, "sla.toml")
WEDNESDAY = datetime(2026, 11, 18, 9, tzinfo=UTC)  # 10:00 in Berlin, 4:00 in New York


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_minutes_are_working_time_of_the_owner() -> None:
    berlin, dana = ROUTING.rep("jonas-keller"), ROUTING.rep("dana-whitfield")
    given = timer(ROUTING, SLA, Tier.HOT, berlin, "r", WEDNESDAY)
    assert (given.remind_at, given.due_at) == (at("2026-11-18T09:30"), at("2026-11-18T10:00"))
    overseas = timer(ROUTING, SLA, Tier.HOT, dana, "r", WEDNESDAY)
    assert (overseas.remind_at, overseas.due_at) == (at("2026-11-18T14:30"), at("2026-11-18T15:00"))
    friday = timer(ROUTING, SLA, Tier.WARM, berlin, "r", at("2026-11-20T15:30"))
    assert friday.due_at == at("2026-11-23T15:30"), "the weekend does not count"
    assert (friday.tier, friday.owner_id, friday.rules) == (Tier.WARM, "jonas-keller", SLA.version)


def test_a_share_of_nothing_is_no_reminder() -> None:
    quiet = SLA.model_copy(update={"hot": TierSla(minutes=60, remind_at=0, pass_on=0)})
    assert timer(ROUTING, quiet, Tier.HOT, ROUTING.rep("jonas-keller"), "r", WEDNESDAY).remind_at is None


def test_the_next_is_who_could_be_first() -> None:
    tried: set[str] = {"dana-whitfield"}
    order = []
    while found := next_of_country(ROUTING, SLA, Ask("US", Tier.HOT, tried, WEDNESDAY)):
        order.append(found.rep.id)
        tried.add(found.rep.id)
    assert order == ["marcus-bell", "carmen-ortega", "inbound-queue"], "Chicago opens before Los Angeles"


@pytest.mark.parametrize("country", [None, "AQ"])
def test_a_country_that_nobody_has_goes_to_the_default_owner_once(country: str | None) -> None:
    ask = Ask(country, Tier.HOT, set(), WEDNESDAY)
    found = next_of_country(ROUTING, SLA, ask)
    assert found is not None
    assert found.rep.id == ROUTING.default_owner
    assert next_of_country(ROUTING, SLA, ask._replace(tried={ROUTING.default_owner})) is None


@pytest.mark.parametrize(
    "wrong", [{"minutes": 0}, {"remind_at": 1}, {"remind_at": -0.1}, {"pass_on": -1}, {"hours": 1}]
)
def test_a_file_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        TierSla.model_validate({"minutes": 60, "remind_at": 0.5, "pass_on": 1} | wrong)


def test_a_turn_is_never_over_before_its_reminder() -> None:
    for rep in ROUTING.reps:
        for hours in range(0, 24 * 9, 5):
            given = timer(ROUTING, SLA, Tier.HOT, rep, "r", WEDNESDAY + timedelta(hours=hours))
            assert given.remind_at is not None
            assert given.started_at < given.remind_at < given.due_at


def test_own_hours_and_leave_count() -> None:
    hours, rep = ROUTING.follow_up.working_hours, ROUTING.rep("jonas-keller")
    early = rep.model_copy(update={"hours": WorkingHours(start=6, end=12)})
    assert after(at("2026-11-18T08:00"), timedelta(hours=4), hours, early) == at("2026-11-19T06:00")
    leave = Leave(first=date(2026, 11, 19), last=date(2026, 11, 24))
    away = rep.model_copy(update={"leave": (leave,)})
    assert after(at("2026-11-18T15:30"), timedelta(hours=1), hours, away) == at("2026-11-25T08:30")


def test_nothing_is_the_next_moment_at_work() -> None:
    hours, rep = ROUTING.follow_up.working_hours, ROUTING.rep("jonas-keller")
    assert after(WEDNESDAY, timedelta(), hours, rep) == WEDNESDAY
    assert after(at("2026-11-20T16:00"), timedelta(), hours, rep) == at("2026-11-23T08:00"), (
        "closing time is after work"
    )


def test_who_never_comes_back_does_not_hold_up_the_clock() -> None:
    gone = Leave(first=date(2020, 1, 1), last=date(2999, 1, 1))
    rep = ROUTING.rep("jonas-keller").model_copy(update={"leave": (gone,)})
    assert after(WEDNESDAY, timedelta(hours=1), ROUTING.follow_up.working_hours, rep) > WEDNESDAY


def test_who_is_on_leave_is_not_next() -> None:
    leave = Leave(first=date(2026, 11, 18), last=date(2026, 11, 18))
    reps = tuple(
        rep.model_copy(update={"leave": (leave,)}) if rep.id == "marcus-bell" else rep for rep in ROUTING.reps
    )  # fmt: skip
    found = next_of_country(ROUTING.with_reps(reps), SLA, Ask("US", Tier.HOT, {"dana-whitfield"}, WEDNESDAY))
    assert found is not None
    assert found.rep.id == "carmen-ortega"
