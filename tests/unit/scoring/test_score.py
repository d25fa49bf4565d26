"""The shipped profile, boundary by boundary, and the properties that hold for any lead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from revenueflow import defaults
from revenueflow.domain.claim import (
    AnalysisVerdict,
    Claim,
    ClaimField,
    ClaimVerdict,
    JudgedClaim,
    Judgement,
    Verdict,
)
from revenueflow.domain.lead import Intent, Tier
from revenueflow.domain.scoring import Factor, LeadFacts, Score
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.scoring.profile import KeywordFactor, KeywordGroup, Profile
from revenueflow.scoring.score import score, tier

VOCABULARY = defaults.load(Vocabulary, "vocabulary.toml")
PROFILE = defaults.load(Profile, "scoring/grounded.toml")
BEST = LeadFacts(
    campaign_id="default", email_given=True, phone_given=True, name_given=True, company="Acme",
    domain="acme.example", title="CTO", industry="software", headcount=1000, country="US",
    source="Demo request",
    evidence={"title": ("e-title",), "headcount": ("e-size", "e-size-2"), "industry": ("e-industry",)},
)  # fmt: skip


def judgement(fit: int, verdict: AnalysisVerdict = AnalysisVerdict.VALID) -> Judgement:
    claim = Claim(id="C1", field=ClaimField.HEADCOUNT, value=1000, statement="It has 1000 employees.")
    said = Verdict(claim_id="C1", verdict=ClaimVerdict.SUPPORTED, score=1, decided_by="typed", citations=("E1", "E2"))
    return Judgement(verdict=verdict, fit=fit, intent=Intent.HIGH, claims=(JudgedClaim(claim=claim, verdict=said),))


def of(facts: LeadFacts, judged: Judgement | None = None) -> Score:
    return score(PROFILE, facts, judged, VOCABULARY)


def line(result: Score, name: str) -> Factor:
    return next(factor for factor in result.factors if factor.name == name)


def test_the_best_lead_gets_a_hundred_and_shows_how() -> None:
    result = of(BEST, judgement(100))
    assert (result.total, result.tier, result.intent, result.fit) == (100, Tier.HOT, Intent.HIGH, 100)
    assert result.profile == f"grounded@{PROFILE.version}"
    role = line(result, "role")
    assert (role.points, role.maximum, role.input, role.evidence) == (15, 15, "c_level", ("e-title",))
    assert line(result, "size").input == 1000
    assert line(result, "size").evidence == ("e-size", "e-size-2")
    assert line(result, "claims").evidence == ("E1", "E2")
    assert "from what the evidence supports" in line(result, "claims").reason


def test_a_lead_of_which_nothing_is_known_gets_nothing() -> None:
    result = of(LeadFacts(campaign_id="default"))
    assert (result.total, result.tier, result.intent, result.fit) == (0, Tier.COLD, Intent.LOW, 0)
    assert line(result, "size").reason == "headcount is not known"
    assert line(result, "completeness").reason.startswith("missing: work_email, phone, name")


@pytest.mark.parametrize(
    ("headcount", "points"),
    [(None, 0), (0, 0), (1, 1), (9, 1), (10, 3), (49, 3), (50, 6), (199, 6), (200, 8), (999, 8), (1000, 10)],
)  # fmt: skip
def test_each_band_of_size_at_its_bounds(headcount: int | None, points: int) -> None:
    assert line(of(BEST.model_copy(update={"headcount": headcount})), "size").points == points


@pytest.mark.parametrize(
    ("title", "points"),
    [
        ("CTO", 15), ("Chief Executive Officer", 15), ("Geschäftsführerin", 15), ("VP Sales", 13),
        ("Vice President, Marketing", 13), ("Director of IT", 11), ("Head of Data", 11),
        ("Marketing Manager", 7), ("Software Engineer", 2), ("Leadership coach", 2),
        ("Assistant to the CEO", 2), ("Wizard", 0), (None, 0), ("最高技術責任者", 0),
    ],
)  # fmt: skip
def test_roles_are_whole_words(title: str | None, points: int) -> None:
    assert line(of(BEST.model_copy(update={"title": title})), "role").points == points


@pytest.mark.parametrize(
    ("industry", "points"),
    [("software", 10), ("healthcare", 8), ("retail", 6), ("hospitality", 2), (None, 0)],
)
def test_industry_by_table_else_other_else_unknown(industry: str | None, points: int) -> None:
    assert line(of(BEST.model_copy(update={"industry": industry})), "industry").points == points


@pytest.mark.parametrize(
    ("source", "points"),
    [
        ("Referral", 5), ("Website - Demo Request", 5), ("Webinar 2026", 4), ("website", 3),
        ("Paid search", 2), ("Purchased list", 0), ("Carrier pigeon", 1), ("Webinars", 1), (None, 0),
    ],
)  # fmt: skip
def test_source_by_keyword(source: str | None, points: int) -> None:
    assert line(of(BEST.model_copy(update={"source": source})), "source").points == points


def test_the_longest_phrase_wins_wherever_it_stands() -> None:
    rule = KeywordFactor(
        name="industry", maximum=20, kind="keyword", fact="industry",
        groups=(
            KeywordGroup(points=5, phrases=("healthcare",)),
            KeywordGroup(points=12, phrases=("healthcare tech",)),
            KeywordGroup(points=20, phrases=("tech",)),
        ),
    )  # fmt: skip
    assert rule.longest("Tech for Healthcare-Tech startups") == "healthcare tech"
    assert rule.longest("healthcare") == "healthcare"
    assert rule.longest("biotechnology") is None


@pytest.mark.parametrize(("fit", "points"), [(0, 0), (1, 1), (2, 1), (50, 25), (99, 50), (100, 50)])
def test_claims_get_half_of_the_fit_rounded_half_up(fit: int, points: int) -> None:
    assert line(of(BEST, judgement(fit)), "claims").points == points


def test_nothing_of_a_rejected_analysis_counts() -> None:
    rejected = of(BEST, judgement(90, AnalysisVerdict.REJECTED))
    missing = of(BEST, None)
    assert (rejected.total, rejected.fit, rejected.intent) == (50, 0, Intent.LOW)
    assert missing.total == 50
    assert "rejected" in line(rejected, "claims").reason
    assert line(missing, "claims").reason == "no analysis: scored by rules only"


def test_a_free_mail_lead_is_never_hot_and_a_disposable_one_always_cold() -> None:
    free = of(BEST.model_copy(update={"free_mail": True}), judgement(100))
    assert (free.total, free.tier) == (60, Tier.WARM)
    assert (line(free, "free_mail").points, line(free, "free_mail").maximum) == (-37, 0)
    disposable = of(BEST.model_copy(update={"disposable": True, "free_mail": True}), judgement(100))
    assert (disposable.total, disposable.tier) == (20, Tier.COLD)


def test_a_limit_that_is_not_reached_adds_no_line() -> None:
    result = of(BEST.model_copy(update={"free_mail": True}))
    assert result.total == 47
    assert not [factor for factor in result.factors if factor.name == "free_mail"]


@pytest.mark.parametrize(
    ("total", "expected"), [(0, "cold"), (39, "cold"), (40, "warm"), (69, "warm"), (70, "hot"), (100, "hot")]
)
def test_tiers_at_their_bounds(total: int, expected: str) -> None:
    assert tier(PROFILE.tiers, total) == expected


texts = some.none() | some.text(max_size=60) | some.sampled_from(["CEO", "software", "Referral", "US", "manager lead"])
leads = some.builds(
    LeadFacts, campaign_id=some.just("default"), title=texts, industry=texts, source=texts, country=texts,
    company=texts, headcount=some.none() | some.integers(0, 10**9), email_given=some.booleans(),
    phone_given=some.booleans(), name_given=some.booleans(), free_mail=some.booleans(),
    disposable=some.booleans(),
)  # fmt: skip
judgements = some.none() | some.builds(judgement, some.integers(0, 100), some.sampled_from(AnalysisVerdict))


@given(leads, judgements)
def test_the_total_is_the_sum_of_the_lines_and_stays_within_bounds(facts: LeadFacts, judged: Judgement | None) -> None:
    result = of(facts, judged)
    assert result.total == sum(factor.points for factor in result.factors)
    assert 0 <= result.total <= 100
    assert all(factor.points <= factor.maximum and factor.reason for factor in result.factors)
    assert result == of(facts, judged)


@given(leads, some.integers(0, 99))
def test_more_fit_never_lowers_the_score(facts: LeadFacts, fit: int) -> None:
    assert of(facts, judgement(fit)).total <= of(facts, judgement(fit + 1)).total
