"""The simulated month: exact where nothing is left to chance, the same for the same seed, and what it promises."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from revenueflow import defaults
from revenueflow.bench.touch.assumptions import SENSITIVITY, Assumptions
from revenueflow.bench.touch.measure import Simulation
from revenueflow.bench.touch.sides import With, Without
from revenueflow.bench.touch.world import SimulatedLead, leads
from revenueflow.cli.main import app
from revenueflow.domain.lead import Intent, Tier
from revenueflow.domain.scoring import LeadFacts, Score
from revenueflow.errors import InvalidInput
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.sla import Sla

ROUTING = defaults.load(RoutingRules, "routing.toml")
SLA = defaults.load(Sla, "sla.toml")
CERTAIN = Assumptions(busy_share=0, absent=0, read_minutes=5, work_minutes=10, analysis_seconds=60)
SIDES: tuple[Any, ...] = (With, Without)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-10-{text}").replace(tzinfo=UTC)


def lead(received: str, tier: Tier = Tier.HOT, owner: str = "jonas-keller", country: str = "DE") -> SimulatedLead:
    facts = LeadFacts(campaign_id="simulated", country=country, headcount=5000 if country == "US" else None)
    score = Score(total=50, tier=tier, intent=Intent.MEDIUM, fit=50, profile="simulated", factors=())
    return SimulatedLead(0, at(received), facts, score, owner)


def touched(side: Any, given: Assumptions, *those: SimulatedLead) -> list[datetime | None]:
    side(given, ROUTING, SLA, 1).run(list(those))
    return [one.touched.replace(microsecond=0) if one.touched else None for one in those]


@pytest.mark.parametrize(
    ("received", "first"),
    [
        ("13T08:00", "13T08:06:00"),  # 10:00 in Berlin: analysed in a minute, read in five
        ("13T02:00", "13T07:05:00"),  # 4:00 in Berlin: at nine
        ("16T15:30", "19T07:05:00"),  # Friday evening: on Monday
    ],
)
def test_with_us_it_waits_for_its_rep_alone(received: str, first: str) -> None:
    assert touched(With, CERTAIN, lead(received)) == [at(first)]


def test_with_us_hot_ones_come_first() -> None:
    cold, hot = lead("13T02:00", Tier.COLD), lead("13T03:00", Tier.HOT)
    assert touched(With, CERTAIN, cold, hot) == [at("13T07:20:00"), at("13T07:05:00")]
    assert touched(With, CERTAIN.changed({"hot_first": False}), lead("13T02:00", Tier.COLD), lead("13T03:00")) == [
        at("13T07:05:00"), at("13T07:20:00"),
    ]  # fmt: skip


def test_with_us_a_lead_that_lies_goes_on() -> None:
    given = CERTAIN.changed({"work_minutes": 200})
    first, second = lead("13T07:00"), lead("13T07:01")  # the rep is busy with the first for three hours
    assert touched(With, given, first, second)[1] == at("13T08:07:00")
    assert (second.owner, second.passed_on) == ("lena-brandt", 1)
    later = touched(With, given.changed({"timers": False}), lead("13T07:00"), lead("13T07:01"))[1]
    assert later == at("13T10:31:00")


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        (
            {},
            "14T13:05:00",
        ),  # 10:00 in Berlin is 4:00 in New York: researched there at 9:00, given at 9:00 the next day
        ({"rounds": (9, 12)}, "14T07:05:00"),  # given at 12:00 there, which is after hours in Berlin
        ({"rounds": ()}, "13T13:15:00"),
        ({"inbox": "regional"}, "14T07:05:00"),
        ({"inbox": "regional", "rounds": ()}, "13T08:15:00"),
        ({"inbox": "regional", "rounds": (), "research_minutes": 0}, "13T08:05:00"),
    ],
)
def test_without_us_it_waits_for_research_and_for_the_round(changes: dict[str, Any], first: str) -> None:
    assert touched(Without, CERTAIN.changed(changes), lead("13T08:00")) == [at(first)]


def test_without_us_they_are_researched_in_order() -> None:
    given = CERTAIN.changed({"researchers": 1, "rounds": (), "research_minutes": 60})
    three = [lead(f"13T13:0{minute}", owner="dana-whitfield", country="US") for minute in range(3)]
    assert touched(Without, given, *three) == [at("13T14:05:00"), at("13T15:05:00"), at("13T16:05:00")]


@pytest.mark.parametrize("side", SIDES)
def test_everybody_is_touched_once_by_somebody_at_work(side: Any) -> None:
    given = Assumptions(leads_per_day=30)
    those = leads(given, ROUTING, 7)
    side(given, ROUTING, SLA, 7).run(those)
    hours = ROUTING.follow_up.working_hours
    for one in those:
        assert one.touched is not None
        assert one.touched > one.received
        if not one.passed_on:
            local = one.touched.astimezone(ZoneInfo(ROUTING.rep(one.owner).timezone))
            assert local.weekday() < 5
            assert hours.start <= local.hour <= hours.end


def test_the_same_seed_gives_the_same_month() -> None:
    given = Assumptions(leads_per_day=20)
    one, again, other = (
        Simulation(ROUTING, SLA, [seed]).measure(given, print, sensitivity=False) for seed in (3, 3, 4)
    )
    assert one == again
    assert one["with"] != other["with"]


def test_the_median_is_at_least_forty_percent_lower() -> None:
    told = Simulation(ROUTING, SLA, [1]).measure(Assumptions(), print, sensitivity=False)
    assert told["leads"] > 1000
    assert told["reduction"] >= 0.4
    assert told["with"]["by_tier"]["hot"]["median"] < told["with"]["by_tier"]["cold"]["median"]


def test_every_row_of_the_table_changes_what_exists() -> None:
    for name, changes in SENSITIVITY.items():
        given = Assumptions().changed(changes)
        assert (given == Assumptions()) == (name == "as assumed")


@pytest.mark.parametrize(
    "wrong",
    [{"absent": 2}, {"month": "2026-13"}, {"by_hour": [1]}, {"countries": {}}, {"hot": 0.9}, {"s3cr3t": 1},
     {"by_weekday": [0] * 7}, {"rounds": [24]}],
)  # fmt: skip
def test_assumptions_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="assumptions: "):
        Assumptions().changed(wrong)


def test_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REVENUEFLOW_CONFIG_DIR", raising=False)
    few = ["bench", "touch", "--seeds", "1", "--assume", "leads_per_day=5", "--assume", "inbox=regional"]
    done = CliRunner().invoke(app, few)
    assert done.exit_code == 0
    assert CliRunner().invoke(app, ["bench", "touch", "--assume", "leads=5"]).exit_code == 1
    assert CliRunner().invoke(app, ["bench", "touch", "--assume", "leads_per_day=0.0001"]).exit_code == 1
