"""The shipped territory table, at its bounds, and the way that a decision shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from revenueflow import defaults
from revenueflow.domain.lead import Intent, Tier
from revenueflow.domain.scoring import LeadFacts, Routing, Score
from revenueflow.routing.route import route
from revenueflow.routing.rules import RoutingRules

RULES = defaults.load(RoutingRules, "routing.toml")
SCORE = Score(total=50, tier=Tier.WARM, intent=Intent.LOW, fit=0, profile="p@1", factors=())


def of(country: str | None, headcount: int | None = None) -> Routing:
    return route(RULES, LeadFacts(campaign_id="default", country=country, headcount=headcount), SCORE)


@pytest.mark.parametrize(
    ("country", "headcount", "owner"),
    [
        ("US", None, "carmen-ortega"), ("US", 1, "carmen-ortega"), ("US", 199, "carmen-ortega"),
        ("US", 200, "marcus-bell"), ("US", 999, "marcus-bell"), ("US", 1000, "dana-whitfield"),
        ("CA", 5000, "marcus-bell"), ("DE", 999, "jonas-keller"), ("DE", 1000, "lena-brandt"),
        ("CH", None, "jonas-keller"), ("AT", 2000, "lena-brandt"), ("GB", 10, "siobhan-carrick"),
        ("IE", None, "siobhan-carrick"), ("FR", 10, "elodie-marchand"), ("NL", 10, "elodie-marchand"),
        ("SE", 10, "astrid-lindqvist"), ("IT", 10, "giulia-ferraro"), ("GR", 10, "giulia-ferraro"),
        ("JP", 10, "kenji-morita"), ("AU", 10, "kenji-morita"), ("BR", 10, "mateo-rivas"),
        ("MX", 10, "mateo-rivas"), ("IN", 10, "ananya-rao"), ("PL", 10, "inbound-queue"),
        (None, 5000, "inbound-queue"),
    ],
)  # fmt: skip
def test_whose_a_lead_is(country: str | None, headcount: int | None, owner: str) -> None:
    assert of(country, headcount).owner_id == owner


def test_a_decision_shows_every_rule_tried_and_why_not() -> None:
    decided = of("DE", 240)
    assert decided.rule == "territory:DACH"
    assert decided.reason == "country DE"
    assert decided.path[0] == "territory:US enterprise: no, country DE is not in it"
    assert decided.path[-2] == "territory:DACH enterprise: no, headcount 240 is not 1000 or more"
    assert decided.path[-1] == "territory:DACH: yes, country DE"
    assert decided.policy_version == RULES.version


def test_candidates_are_those_looked_at_with_the_chosen_one_last() -> None:
    candidates = of("US", 240).candidates
    assert [(c.rep_id, c.chosen) for c in candidates] == [("dana-whitfield", False), ("marcus-bell", True)]
    assert candidates[0].reason == "US enterprise: headcount 240 is not 1000 or more"
    assert of("US", 240).reason == "country US, headcount 240 is 200 to 999"


def test_the_default_queue_says_why() -> None:
    assert of(None).reason == "country is not known"
    assert of("PL").reason == "no territory fits country PL"
    assert of("PL").rule == "default"
    assert len(of("PL").path) == len(RULES.territories) + 1


@given(some.none() | some.text(max_size=3), some.none() | some.integers(-5, 10**9))
def test_every_lead_has_one_owner_who_exists(country: str | None, headcount: int | None) -> None:
    decided = of(country, headcount)
    assert decided.owner_name == RULES.rep(decided.owner_id).name
    assert [c.rep_id for c in decided.candidates if c.chosen] == [decided.owner_id]
    assert len({c.rep_id for c in decided.candidates}) == len(decided.candidates)
