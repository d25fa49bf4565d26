"""The shipped profiles `six_factor` and `dual_layer`: each row of their tables, on every boundary."""

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
from revenueflow.domain.lead import Intent, LeadForm, Tier
from revenueflow.domain.scoring import Factor, LeadFacts, Score
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.form_facts import FormFacts
from revenueflow.scoring.profile import KeywordFactor, Profile
from revenueflow.scoring.reasoning import reasoning
from revenueflow.scoring.score import score

VOCABULARY = defaults.load(Vocabulary, "vocabulary.toml")
SIX = defaults.load(Profile, "scoring/six_factor.toml")
DUAL = defaults.load(Profile, "scoring/dual_layer.toml")
FACTS = FormFacts(VOCABULARY)
NAMES = ("grounded", "six_factor", "dual_layer")
FULL = LeadForm(
    email="ann@acme.example", phone="+49 30 1234567", name="Ann", company="Acme", title="CEO", industry="Software",
    headcount="1000", source="Referral", message="I run Acme.",
)  # fmt: skip
BLANK = LeadForm()


def facts(form: LeadForm = FULL, **changes: str | None) -> LeadFacts:
    return FACTS.of(form.model_copy(update=changes))


def of(profile: Profile, found: LeadFacts, judged: Judgement | None = None, *, is_modelled: bool = False) -> Score:
    return score(profile, found, judged, VOCABULARY, is_modelled=is_modelled)


def line(result: Score, name: str) -> Factor:
    return next(factor for factor in result.factors if factor.name == name)


def judgement(
    intent: Intent, supported: int, claims: int, verdict: AnalysisVerdict = AnalysisVerdict.PARTIAL
) -> Judgement:
    judged = []
    for number in range(claims):
        claim = Claim(id=f"C{number}", field=ClaimField.HEADCOUNT, value=9, statement="It has 9 employees.")
        kind = ClaimVerdict.SUPPORTED if number < supported else ClaimVerdict.UNSUPPORTED
        said = Verdict(claim_id=claim.id, verdict=kind, score=1, decided_by="typed", citations=("E1",))
        judged.append(JudgedClaim(claim=claim, verdict=said))
    return Judgement(verdict=verdict, fit=50, intent=intent, claims=tuple(judged))


@pytest.mark.parametrize(
    ("email", "phone", "points"),
    [("a@b.example", "+4930123456", 20), ("a@b.example", None, 10), (None, "+4930123456", 10), (None, None, 0)],
)  # fmt: skip
def test_six_completeness(email: str | None, phone: str | None, points: int) -> None:
    assert line(of(SIX, facts(email=email, phone=phone)), "completeness").points == points


@pytest.mark.parametrize(
    ("company", "title", "industry", "points"),
    [
        ("Acme", "CEO", "Software", 25), ("Acme", None, None, 10), (None, "CEO", None, 10), (None, None, "Widgets", 5),
        ("Acme", None, "Software", 15), (None, None, None, 0),
    ],
)  # fmt: skip
def test_six_profile(company: str | None, title: str | None, industry: str | None, points: int) -> None:
    assert line(of(SIX, facts(company=company, title=title, industry=industry)), "profile").points == points


@pytest.mark.parametrize(
    ("source", "points"),
    [
        ("Referral", 25), ("referral_partner", 25), ("Organic Search", 15), ("paid-search", 10), ("Webinar", 5),
        ("Empfehlung", 25), ("preferral", 5), (None, 0),
    ],
)  # fmt: skip
def test_six_source(source: str | None, points: int) -> None:
    assert line(of(SIX, facts(source=source)), "source").points == points


@pytest.mark.parametrize(
    ("industry", "points"),
    [
        ("Healthcare", 20), ("Finance", 20), ("Technology", 20), ("Manufacturing", 20), ("Maschinenbau", 20),
        ("Gesundheitswesen", 20), ("Retail", 10), ("Education", 10), ("Hospitality", 5), ("Widgets", 5), (None, 0),
    ],
)  # fmt: skip
def test_six_industry(industry: str | None, points: int) -> None:
    assert line(of(SIX, facts(industry=industry)), "industry").points == points


@pytest.mark.parametrize("profile", [defaults.load(Profile, f"scoring/{name}.toml") for name in NAMES])
@pytest.mark.parametrize("size", ["0", "-12", "−5", "0 employees", "1e999", "9" * 14, "a dozen or so"])
def test_a_size_that_is_none_is_explained_in_one_way(profile: Profile, size: str) -> None:
    result = of(profile, facts(headcount=size))
    assert (result.not_understood, "headcount" in result.missing) == (("headcount",), False)
    assert "not understood: headcount" in reasoning(result)
    for one in (one for one in result.factors if one.name == "size"):
        assert (one.points, one.input) == (0, size)
        assert one.reason == f"headcount {size} was not understood"


@pytest.mark.parametrize("profile", [defaults.load(Profile, f"scoring/{name}.toml") for name in NAMES])
@pytest.mark.parametrize("email", ["s3cr3t", "s3cr3t@", "@s3cr3t.example", "s3cr3t and more@x.example"])
def test_an_email_that_is_none_is_explained_in_one_way_and_not_shown(profile: Profile, email: str) -> None:
    result = of(profile, facts(email=email))
    assert result.not_understood == ("email",)
    assert not {"email", "work_email"} & set(result.missing)
    assert "not understood: email" in reasoning(result)
    assert "s3cr3t" not in result.model_dump_json()
    none = of(profile, facts(email=None))
    assert (none.total, none.not_understood) == (result.total, ()), "no better and no worse than none"


def size_points(number: int) -> int:
    """The table, written once more."""
    return 25 if number >= 1000 else 15 if number >= 100 else 5 if number >= 10 else 0


@given(some.integers(0, 5000) | some.sampled_from([9, 10, 11, 99, 100, 101, 999, 1000, 1001, 10**7]))
def test_six_size_on_every_boundary(number: int) -> None:
    assert line(of(SIX, facts(headcount=str(number))), "size").points == size_points(number)


@pytest.mark.parametrize(("size", "points"), [("10k+", 25), ("51-200", 15), ("1,000+", 25), ("huge", 0), (None, 0)])
def test_six_size_as_people_write_it(size: str | None, points: int) -> None:
    assert line(of(SIX, facts(headcount=size)), "size").points == points


def test_six_is_capped_and_names_what_is_missing() -> None:
    result = of(SIX, facts())
    assert sum(factor.maximum for factor in SIX.factors) == 145
    assert (result.total, result.tier) == (100, Tier.HOT)
    assert line(result, "cap").points == -15
    assert line(result, "similarity").points == 0
    assert "outcomes" in result.missing
    assert of(SIX, facts(BLANK)).total == 0


@given(some.integers(0, 100))
def test_the_tiers_of_both(total: int) -> None:
    six = Tier.HOT if total >= 70 else Tier.WARM if total >= 40 else Tier.COLD
    dual = Tier.HOT if total >= 80 else Tier.WARM if total >= 50 else Tier.COLD
    assert (SIX.tier(total), DUAL.tier(total)) == (six, dual)


ROLES = {
    20: ["ceo", "founder", "owner", "cto", "cfo", "coo", "chief", "Geschäftsführerin", "Inhaber", "Vorstand"],
    15: ["vp", "vice president", "head", "director", "Bereichsleiter", "Leiterin"],
    10: ["manager", "lead", "senior", "principal", "architect", "Teamleiterin"],
    0: ["leadership coach", "directory clerk", "engineer", "factory worker", "headhunter", "ctoo", "Wizard"],
}
INDUSTRIES = {
    20: ["saas", "software", "technology", "tech", "B2B SaaS"],
    12: [
        "consulting",
        "services",
        "fintech",
        "healthcare tech",
        "edtech",
        "Unternehmensberatung",
        "Health-care/EdTech",
    ],
    5: ["finance", "healthcare", "education", "manufacturing", "Gesundheitswesen"],
    0: ["retail", "biotechnology", "softwares", "Widgets"],
}


@given(some.sampled_from([(points, text) for points, texts in ROLES.items() for text in texts]), some.booleans())
def test_dual_role(row: tuple[int, str], shout: bool) -> None:
    points, title = row
    assert line(of(DUAL, facts(title=title.upper() if shout else title)), "role").points == points


@pytest.mark.parametrize(
    ("title", "points"),
    [
        ("Senior Director", 15), ("Head of Data & CTO", 20), ("Co-Founder", 20), ("Senior Vice President", 15),
        ("Director of Engineering", 15), ("Chief Marketing Officer", 20), (None, 0),
    ],
)  # fmt: skip
def test_dual_role_takes_the_best_of_several(title: str | None, points: int) -> None:
    assert line(of(DUAL, facts(title=title)), "role").points == points


@given(some.sampled_from([(points, text) for points, texts in INDUSTRIES.items() for text in texts]), some.booleans())
def test_dual_industry(row: tuple[int, str], shout: bool) -> None:
    points, industry = row
    assert line(of(DUAL, facts(industry=industry.upper() if shout else industry)), "industry").points == points


@given(some.sets(some.sampled_from(["name", "title", "company", "industry", "message"])))
def test_dual_completeness_is_proportional(given_fields: set[str]) -> None:
    form = LeadForm(**{name: getattr(FULL, name) for name in given_fields})
    assert line(of(DUAL, facts(form)), "completeness").points == 2 * len(given_fields)


def half_up(value: float) -> int:
    return int(value + 0.5)


@given(
    some.sampled_from(list(Intent)),
    some.integers(1, 20).flatmap(lambda n: some.tuples(some.integers(1, n), some.just(n))),
)
def test_dual_ai_by_intent_and_share_of_support(intent: Intent, share: tuple[int, int]) -> None:
    supported, claims = share
    result = of(DUAL, facts(), judgement(intent, supported, claims), is_modelled=True)
    expected = {
        Intent.HIGH: 45 + half_up(5 * supported / claims),
        Intent.MEDIUM: 15 + half_up(10 * supported / claims),
        Intent.LOW: 5,
    }
    assert (line(result, "ai").points, result.intent) == (expected[intent], intent)


def test_dual_a_rejected_analysis_gives_as_little_as_a_low_one() -> None:
    result = of(DUAL, facts(), judgement(Intent.HIGH, 0, 3, AnalysisVerdict.REJECTED), is_modelled=True)
    assert (line(result, "ai").points, result.intent) == (5, Intent.LOW)


@pytest.mark.parametrize(
    ("title", "industry", "points", "intent"),
    [
        ("CEO", "Software", 45, "high"), ("CEO", "Retail", 25, "medium"), ("VP Sales", "Software", 25, "medium"),
        ("VP Sales", "Retail", 15, "medium"), ("Manager", "Retail", 15, "medium"),
        ("Manager", "Software", 15, "medium"),
        ("Clerk", "Consulting", 15, "medium"), ("Clerk", "Software", 15, "medium"), ("Clerk", "Finance", 5, "low"),
        (None, None, 5, "low"),
    ],
)  # fmt: skip
def test_dual_rules_of_thumb_where_no_model_answered(
    title: str | None, industry: str | None, points: int, intent: str
) -> None:
    found = facts(title=title, industry=industry)
    for judged in (None, judgement(Intent.HIGH, 1, 1)):  # what the rules wrote in its place does not count
        result = of(DUAL, found, judged)
        assert (line(result, "ai").points, result.intent) == (points, intent)
        assert "model" in result.missing


def test_what_can_not_be_read_is_named_and_the_rest_counts() -> None:
    found = facts(headcount="about a dozen or so", country="Untied States", title="CEO " * 1000)
    result = of(SIX, found)
    assert set(result.not_understood) >= {"headcount", "country"}
    assert line(result, "size").not_understood == ("headcount",)
    assert line(result, "completeness").points == 20
    assert line(result, "profile").points == 15  # a text of that length is no title, so none was given
    assert line(result, "profile").not_understood == ("title",)
    dual = of(DUAL, found)
    assert line(dual, "completeness").points == 8
    assert line(dual, "role").points == 0
    assert "title" in dual.not_understood
    assert len(line(dual, "role").input or "") <= 120


texts = some.none() | some.text(max_size=40) | some.sampled_from(["CEO", "VP", "SaaS", "finance", "10k+", "Referral"])
forms = some.builds(
    LeadForm, email=texts, phone=texts, name=texts, company=texts, title=texts, industry=texts, headcount=texts,
    source=texts, message=texts, country=texts,
)  # fmt: skip


@given(forms, some.sampled_from([SIX, DUAL]))
def test_lines_add_up_and_stay_within_their_maximum(form: LeadForm, profile: Profile) -> None:
    result = of(profile, facts(form))
    assert 0 <= result.total == sum(factor.points for factor in result.factors) <= 100
    assert all(0 <= factor.points <= factor.maximum for factor in result.factors if factor.maximum)


NOTHING = ("N/A", "n.a.", "-", " – ", "none", "Unknown", "NULL", "test", "k. A.", "???", "non renseigné", "...")
TEXTS = ("name", "phone", "company", "title", "industry", "headcount", "source", "message", "country", "email")


@pytest.mark.parametrize("word", NOTHING)
@pytest.mark.parametrize("profile", [defaults.load(Profile, f"scoring/{name}.toml") for name in NAMES])
def test_a_placeholder_is_worth_what_nothing_is(profile: Profile, word: str) -> None:
    given, empty = (FACTS.of(LeadForm(**dict.fromkeys(TEXTS, text))) for text in (word, None))
    assert score(profile, given, None, VOCABULARY) == score(profile, empty, None, VOCABULARY)
    assert given.unread == {}


@pytest.mark.parametrize("phone", ["abc", "0", "123", "000000000", "12345678" * 9])
@pytest.mark.parametrize("profile", [defaults.load(Profile, f"scoring/{name}.toml") for name in NAMES])
def test_a_phone_that_is_none_counts_as_not_known_and_is_named(profile: Profile, phone: str) -> None:
    found = score(profile, FACTS.of(LeadForm(phone=phone)), None, VOCABULARY)
    assert found.total == score(profile, FACTS.of(LeadForm()), None, VOCABULARY).total
    assert "phone" in found.not_understood
    assert f'"{phone}"' not in found.model_dump_json()


@pytest.mark.parametrize(("field", "text"), [("name", "x" * 301), ("name", "12 34"), ("title", "12345")])
def test_a_name_and_a_title_are_words(field: str, text: str) -> None:
    for profile in (SIX, DUAL):
        found = score(profile, FACTS.of(LeadForm(**{field: text})), None, VOCABULARY)
        assert found.total == score(profile, FACTS.of(LeadForm()), None, VOCABULARY).total
        assert found.not_understood == (field,)


@pytest.mark.parametrize("text", ["1,2,3", "10,5", "1,20,300", "0.5"])
def test_a_size_with_a_fraction_is_none(text: str) -> None:
    found = FACTS.of(LeadForm(headcount=text))
    assert (found.headcount, found.unread) == (None, {"headcount": text})


def test_what_looks_like_a_placeholder_and_is_none() -> None:
    found = FACTS.of(LeadForm(country="NA", company="3M", title="Test Manager", phone="1-800-FLOWERS", name="李"))
    assert (found.country, found.company, found.title) == ("NA", "3M", "Test Manager")
    assert found.phone_given and found.name_given
    assert found.unread == {}


def test_what_a_line_has_read_is_not_listed_as_not_understood() -> None:
    found = score(DUAL, FACTS.of(LeadForm(industry="Santé", title="CEO")), None, VOCABULARY)
    assert next(line for line in found.factors if line.name == "industry").points == 5
    assert found.not_understood == ()
    other = score(DUAL, FACTS.of(LeadForm(industry="Zirkus", title="CEO")), None, VOCABULARY)
    assert other.not_understood == ("industry",)
    assert score(SIX, FACTS.of(LeadForm(industry="Santé")), None, VOCABULARY).not_understood == ("industry",)


@pytest.mark.parametrize(
    ("source", "ours", "six"),
    [
        ("Organic", 3, 15), ("google / organic", 3, 15), ("SEO", 3, 15), ("Empfehlung", 5, 25),
        ("referred by Ann", 5, 25),
        ("google / cpc", 2, 10), ("Bezahlte Suche", 2, 10), ("Paid search", 2, 10), ("website", 3, 5), ("fair", 1, 5),
    ],
)  # fmt: skip
def test_sources_are_known_by_the_same_words(source: str, ours: int, six: int) -> None:
    grounded = defaults.load(Profile, "scoring/grounded.toml")
    given = FACTS.of(LeadForm(source=source))
    found = [score(one, given, None, VOCABULARY).factors for one in (grounded, SIX)]
    assert [line.points for lines in found for line in lines if line.name == "source"] == [ours, six]


def test_words_of_a_source_are_in_both_profiles() -> None:
    grounded, six = (
        {phrase: group.points for rule in profile.factors if isinstance(rule, KeywordFactor) and rule.fact == "source"
         for group in rule.groups for phrase in group.phrases}
        for profile in (defaults.load(Profile, "scoring/grounded.toml"), SIX)
    )  # fmt: skip
    assert {grounded.get(phrase) for phrase in six} == {5, 3, 2}
