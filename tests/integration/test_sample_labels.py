"""The labelled sample through the whole chain of decisions, in one process: vendors' wire → claims → owner.

No database: the sandbox's vendors answer over HTTP, the analyst is the one by rules.
"""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest

from revenueflow import defaults
from revenueflow.analysis import prompt
from revenueflow.analysis.models.rules import Rules
from revenueflow.clock import utcnow
from revenueflow.domain.lead import Lead, LeadForm, LeadStatus, Tier
from revenueflow.domain.scoring import Routing, Score
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.base import EnrichmentProvider
from revenueflow.enrichment.domains import company_domain, subject_of
from revenueflow.enrichment.facts import lead_facts
from revenueflow.enrichment.form import form_evidence
from revenueflow.enrichment.providers.clearbit import Clearbit
from revenueflow.enrichment.providers.hunter import Hunter
from revenueflow.grounding.effect import weigh
from revenueflow.grounding.rules import GroundingRules
from revenueflow.grounding.validator import judge
from revenueflow.privacy.identity import IdentityKey, normalise_email, normalise_linkedin
from revenueflow.routing.route import route
from revenueflow.routing.rules import RoutingRules
from revenueflow.sandbox import clearbit, hunter, sample
from revenueflow.sandbox.directory import companies, contacts
from revenueflow.sandbox.sample import SampleLead
from revenueflow.scoring.profile import Profile
from revenueflow.scoring.score import score
from revenueflow.sources import generic, hubspot, marketo
from revenueflow.sources.aliases import Understood, understand
from revenueflow.sources.arrival import Arrival, identify
from tests.support.asgi import listening
from tests.support.asking import straight

NOW = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
MARGIN = 5
VOCABULARY = defaults.load(Vocabulary, "vocabulary.toml")
PROFILE = defaults.load(Profile, "scoring/grounded.toml")
ROUTING = defaults.load(RoutingRules, "routing.toml")
GROUNDING = defaults.load(GroundingRules, "grounding.toml")
TEMPLATE = prompt.PromptTemplate.parse(defaults.text("prompts/analyse.md"))
KEY = IdentityKey(b"sample")
SAMPLE = sample.load()
FIRST = [lead for lead in SAMPLE if lead.expected.same_lead_as is None]


@pytest.fixture(scope="module")
def vendor_urls() -> Iterator[tuple[str, str]]:
    with listening(clearbit.app(companies())) as one, listening(hunter.app(companies())) as other:
        yield one, other


@pytest.fixture
async def vendors(vendor_urls: tuple[str, str]) -> AsyncIterator[list[EnrichmentProvider]]:
    one, other = vendor_urls
    async with (
        aclosing(Clearbit("key", base_url=one, person_base_url=one)) as first,
        aclosing(Hunter("key", base_url=other)) as second,
    ):
        yield [first, second]


def arrival(lead: SampleLead) -> Arrival:
    raw = orjson.dumps([lead.payload] if lead.via == "hubspot" else lead.payload)
    if lead.via == "hubspot":
        return hubspot.read(raw)[0]
    if lead.via == "csv":
        return Arrival("csv", f"sample:{lead.n}", raw, "text/csv", understand(lead.payload), own_id=f"row:{lead.n}")
    if lead.via == "marketo":
        return marketo.read(raw, "application/json")
    return generic.read(raw, "application/json")


def form_of(lead: SampleLead) -> LeadForm:
    given = arrival(lead).understood
    assert given is not None
    contact = contacts().get(str(lead.payload.get("objectId")))
    fetched = understand(contact["properties"]) if lead.via == "hubspot" and contact else Understood()
    return _first(fetched.form, given.form)


def _first(form: LeadForm, other: LeadForm) -> LeadForm:
    return LeadForm(**(other.model_dump(exclude_none=True) | form.model_dump(exclude_none=True)))


def captured(lead: SampleLead, forms: Iterable[LeadForm]) -> Lead:
    form = LeadForm()
    for one in forms:
        form = _first(one, form)
    email, ids = normalise_email(form.email), identify(arrival(lead), KEY)
    assert ids.lead_id is not None
    shared = form.model_dump(include={"name", "phone", "company", "title", "source", "message"})
    domain, country = company_domain(form.website, email).domain, VOCABULARY.country(form.country)
    return Lead(id=ids.lead_id, form=form, email=email, domain=domain, country=country, received_at=NOW, **shared)


async def decide(lead: Lead, vendors: list[EnrichmentProvider]) -> tuple[Score, Routing]:
    found = await straight(vendors).enrich(lead, subject_of(lead), run=UUID(int=1))
    asked = prompt.build((*form_evidence(lead, run_key="1"), *found.evidence), TEMPLATE)
    analysis = await Rules(VOCABULARY).analyse(asked)
    judgement = weigh(
        judge(analysis.claims, asked.evidence, VOCABULARY, GROUNDING), asked.evidence, GROUNDING, utcnow()
    )
    facts = lead_facts(lead, asked.evidence, VOCABULARY)
    scored = score(PROFILE, facts, judgement, VOCABULARY)
    return scored, route(ROUTING, facts, scored)


@pytest.mark.parametrize("lead", [lead for lead in FIRST if lead.expected.tier], ids=lambda lead: f"n{lead.n}")
async def test_tier_and_owner_are_as_labelled(lead: SampleLead, vendors: list[EnrichmentProvider]) -> None:
    again = [form_of(other) for other in SAMPLE if other.expected.same_lead_as == lead.n]
    for forms in ([form_of(lead)], [form_of(lead), *again], [*again, form_of(lead)]):
        scored, routed = await decide(captured(lead, forms), vendors)
        assert (scored.tier, routed.owner_id) == (lead.expected.tier, lead.expected.owner), scored.factors


@pytest.mark.parametrize("lead", [lead for lead in FIRST if lead.expected.tier], ids=lambda lead: f"n{lead.n}")
async def test_the_total_is_away_from_the_next_tier(lead: SampleLead, vendors: list[EnrichmentProvider]) -> None:
    scored, _ = await decide(captured(lead, [form_of(lead)]), vendors)
    hot, warm = PROFILE.tiers.hot, PROFILE.tiers.warm
    low, high = {Tier.HOT: (hot, 200), Tier.WARM: (warm, hot), Tier.COLD: (-100, warm)}[scored.tier]
    assert low + MARGIN <= scored.total <= high - MARGIN


def test_parked_ones_are_those_without_a_way_to_reach_anybody() -> None:
    unreachable = set()
    for lead in SAMPLE:
        form = form_of(lead)
        if not (normalise_email(form.email) or form.phone or normalise_linkedin(form.linkedin_url)):
            unreachable.add(lead.n)
    assert {lead.n for lead in SAMPLE if lead.expected.status is LeadStatus.PARKED} == unreachable


def test_the_same_lead_and_the_same_delivery_are_as_labelled() -> None:
    leads: dict[object, int] = {}
    deliveries: set[object] = set()
    for lead in SAMPLE:
        ids = identify(arrival(lead), KEY)
        assert ids.lead_id is not None, lead.n
        first = leads.setdefault(ids.lead_id, lead.n)
        assert lead.expected.same_lead_as == (None if first == lead.n else first), lead.n
        assert lead.expected.duplicate == (ids.delivery_id in deliveries), lead.n
        deliveries.add(ids.delivery_id)


def test_the_csv_file_holds_the_same_rows_in_order() -> None:
    with sample.CSV.open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == [lead.payload for lead in SAMPLE if lead.via == "csv"]


def test_the_sample_is_what_its_readme_says() -> None:
    vias = [lead.via for lead in SAMPLE]
    assert [vias.count(via) for via in ("marketo", "hubspot", "lead", "csv")] == [40, 20, 25, 15]
    assert [lead.n for lead in SAMPLE] == list(range(1, 101))
    parked = [lead for lead in FIRST if lead.expected.status is LeadStatus.PARKED]
    assert (len(FIRST) - len(parked), len(parked)) == (82, 6)
