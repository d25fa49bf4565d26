"""Prices and caps, and the offer."""

from __future__ import annotations

from decimal import Decimal

import pytest

from revenueflow import defaults
from revenueflow.analysis.base import Usage
from revenueflow.analysis.offers import Offers
from revenueflow.analysis.pricing import ModelRules

OURS = defaults.load(ModelRules, "models.toml")


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("gemini-2.5-flash", 0.30),
        ("gemini-2.5-flash-001", 0.30),
        ("gemini-2.5-flash-lite", 0.10),
        ("global.anthropic.claude-haiku-4-5-20251001-v1:0", 1.00),
        ("arn:aws:bedrock:eu-central-1:1:inference-profile/eu.amazon.nova-lite-v1:0", 0.06),
        ("some-new-model", OURS.other.input),
    ],
)
def test_the_longest_part_of_a_name_that_fits_counts(model: str, price: float) -> None:
    assert OURS.rule(model).input == price


def test_a_cost_is_exact_and_rounded_up() -> None:
    rule = OURS.rule("gemini-2.5-flash")
    assert rule.cost(Usage(1_000_000, 1_000_000)) == Decimal("2.8")
    assert rule.cost(Usage(1, 0)) == Decimal("0.000001")
    assert rule.cost(Usage()) == 0


def test_there_are_caps_and_what_nobody_knows_is_the_dearest() -> None:
    assert OURS.caps.day_usd and OURS.caps.day_tokens
    assert all(OURS.other.input >= rule.input and OURS.other.output >= rule.output for rule in OURS.models.values())


def test_the_offer_of_a_campaign_goes_before_that_of_all() -> None:
    offers = Offers(version=1, text="for all", campaigns={"fair": "for the fair", "none": ""})
    assert [offers.of(one) for one in ("default", "fair", "none")] == ["for all", "for the fair", None]
    assert defaults.load(Offers, "offer.toml").of("default") is None
