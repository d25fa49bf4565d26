"""What a routing table may not say."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from revenueflow import defaults
from revenueflow.domain.lead import Tier
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.errors import ConfigurationError
from revenueflow.routing import conflicts
from revenueflow.routing.conditions import Subject, obstacle
from revenueflow.routing.rules import RoutingRules, Territory

BASE: dict[str, Any] = {
    "version": "1",
    "default_owner": "queue",
    "reps": [
        {"id": "queue", "name": "Queue", "email": "q@x.example", "timezone": "UTC", "country": "US"},
        {"id": "ann", "name": "Ann", "email": "a@x.example", "timezone": "Europe/Berlin", "country": "DE"},
    ],
    "territories": [
        {"name": "big", "countries": ["DE"], "min_headcount": 1000, "owner": "ann"},
        {"name": "rest", "countries": ["DE", "AT"], "owner": "ann"},
    ],
    "follow_up": {
        "working_hours": {"start": 9, "end": 17},
        "hot": {"hours": 1}, "warm": {"days": 1}, "cold": {"days": 5},
    },
}  # fmt: skip


def changed(path: str, value: Any) -> dict[str, Any]:
    table = copy.deepcopy(BASE)
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = table
    for part in way:
        place = place[part]
    if isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return table


def test_the_table_of_these_tests_is_accepted() -> None:
    assert RoutingRules.model_validate(BASE).rep("ann").name == "Ann"


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("territories.0.owner", "bob", "territories.0.owner: no rep has this id"),
        ("default_owner", "bob", "default_owner: no rep has this id"),
        ("territories.0.colour", "red", "territories.0.colour\n"),
        ("territories.0.countries", ["DEU"], "territories.0.countries.0\n"),
        ("territories.0.countries", ["QQ"], "not in ISO 3166-1: QQ"),
        ("territories.0.countries", ["DE", "DE"], "a country is listed twice"),
        ("territories.0.max_headcount", 999, "max_headcount must not be below min_headcount"),
        ("territories.0.min_headcount", None, 'DE is in "big" and in "rest" under equal conditions'),
        ("territories.0.min_headcount", 0, "territories.0.min_headcount\n"),
        ("territories.1.name", "big", "given more than once: big"),
        ("territories.2", {"name": "late", "countries": ["AT"], "tiers": ["hot"], "owner": "ann"},
         '"late" can\'t be reached for AT: "rest" before it takes all of its leads'),
        ("reps.1.id", "queue", "given more than once: queue"),
        ("reps.1.timezone", "Berlin", "IANA time-zone name"),
        ("reps.1.country", "QQ", "no public holidays are known"),
        ("reps.1.subdivision", "ZZ", "subdivision: must be one of BB"),
        ("follow_up.hot", {"hours": 1, "days": 1}, "give either hours or days"),
        ("follow_up.hot", {}, "give either hours or days"),
        ("follow_up.working_hours", {"start": 17, "end": 9}, "end must be after start"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_with_its_key_path(path: str, value: Any, complaint: str) -> None:
    with pytest.raises(ValueError) as refused:
        RoutingRules.model_validate(changed(path, value))
    assert complaint in str(refused.value)


def test_several_narrow_territories_can_hide_a_wide_one() -> None:
    table = changed("territories", [
        {"name": "small", "countries": ["DE"], "max_headcount": 99, "owner": "ann"},
        {"name": "big", "countries": ["DE"], "min_headcount": 100, "owner": "ann"},
        {"name": "middle", "countries": ["DE"], "min_headcount": 50, "max_headcount": 500, "owner": "ann"},
    ])  # fmt: skip
    with pytest.raises(ValueError, match='"middle" can\'t be reached for DE: "small", "big" before it'):
        RoutingRules.model_validate(table)
    table["territories"][2] = {"name": "size unknown", "countries": ["DE"], "owner": "ann"}
    RoutingRules.model_validate(table)


def test_the_error_of_a_file_names_file_and_key_path(tmp_path: Any) -> None:
    (tmp_path / "routing.toml").write_text('version = "1"\nsurprise = 1\n', encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        defaults.load(RoutingRules, "routing.toml", tmp_path)
    assert str(tmp_path / "routing.toml") in refused.value.detail
    assert {"surprise", "default_owner", "follow_up"} == {f.pointer for f in refused.value.faults}


def test_the_shipped_table_names_invented_people_and_known_industries_only() -> None:
    rules = defaults.load(RoutingRules, "routing.toml")
    industries = defaults.load(Vocabulary, "vocabulary.toml").industries
    assert len(rules.reps) == 13
    assert all(rep.email.endswith("@revenueflow.example") for rep in rules.reps)
    assert all(set(territory.industries or ()) <= set(industries) for territory in rules.territories)


bounds = some.none() | some.integers(1, 5)
territories = some.builds(
    lambda low, high, industries, tiers: (min(low, high) if low and high else low, high, industries, tiers),
    bounds, bounds,
    some.none() | some.lists(some.sampled_from(["food", "media"]), min_size=1, unique=True).map(tuple),
    some.none() | some.lists(some.sampled_from(list(Tier)), min_size=1, unique=True).map(tuple),
)  # fmt: skip


@given(some.lists(territories, max_size=5))
def test_a_conflict_is_found_exactly_when_some_territory_gets_no_lead(conditions: list[Any]) -> None:
    table = [
        Territory(name=str(n), countries=("DE",), min_headcount=low, max_headcount=high, industries=kinds,
                  tiers=tiers, owner="ann")
        for n, (low, high, kinds, tiers) in enumerate(conditions)
    ]  # fmt: skip
    subjects = [
        Subject("DE", size, kind, tier)
        for size in (None, *range(8)) for kind in (None, "food", "media", "legal") for tier in Tier
    ]  # fmt: skip
    winners = {next((t.name for t in table if obstacle(t, subject) is None), None) for subject in subjects}
    everyone_gets_some = {territory.name for territory in table} <= winners
    assert (conflicts.find(table) is None) == everyone_gets_some
