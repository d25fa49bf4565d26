"""The capabilities of a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from revenueflow import defaults
from revenueflow.analysis.paid import Paid
from revenueflow.analysis.pricing import ModelRules
from revenueflow.db.direct import Direct
from revenueflow.db.session import Database
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.base import EnrichmentProvider
from revenueflow.enrichment.cache import Cache
from revenueflow.enrichment.providers import apollo
from revenueflow.enrichment.providers.clearbit import Clearbit
from revenueflow.enrichment.providers.directory import Directory
from revenueflow.enrichment.providers.hunter import Hunter
from revenueflow.enrichment.providers.pipe0 import Pipe0
from revenueflow.enrichment.providers.zoominfo import ZoomInfo
from revenueflow.enrichment.vendors import Vendors
from revenueflow.enrichment.waterfall import Waterfall
from revenueflow.grounding.rules import GroundingRules
from revenueflow.pipeline.company_owners import CompanyBook
from revenueflow.pipeline.context import Services
from revenueflow.pipeline.offers import OfferBook
from revenueflow.pipeline.roster import Roster
from revenueflow.pipeline.track_record import TrackRecord
from revenueflow.privacy.identity_file import identity_key
from revenueflow.resilience.upstream import HttpUpstream
from revenueflow.resilience.windows import Windows
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.sla import Sla
from revenueflow.settings import EnrichmentSettings, Settings
from revenueflow.sources.hubspot_contacts import HubSpotContacts
from revenueflow.wiring.analysts import configured_analysts
from revenueflow.wiring.closing import Closing, bearer, closing, redis
from revenueflow.wiring.files import MODELS, offer_file, opinion_prompt, profiles, prompt, rules
from revenueflow.wiring.tools import registry


@asynccontextmanager
async def services(settings: Settings, database: Database, direct: Direct) -> AsyncIterator[Services]:
    """The capabilities of a worker, closed at the end. Raises ConfigurationError for a wrong file."""
    async with closing() as note:
        yield _services(settings, database, direct, note)


def _services(settings: Settings, database: Database, direct: Direct, closing: Closing) -> Services:
    folder = settings.config_dir
    vocabulary = defaults.load(Vocabulary, "vocabulary.toml", folder)
    analysts = configured_analysts(settings, direct, vocabulary, closing)
    asked = [one for one in analysts if isinstance(one, Paid)] if settings.analysis.second_opinion else []
    routing = defaults.load(RoutingRules, "routing.toml", folder)
    tools = registry(settings, database, direct, vocabulary, closing)
    key, shared = identity_key(settings.keys), closing(redis(settings.redis.url))
    return Services(
        database=database,
        direct=direct,
        registry=tools,
        waterfall=_waterfall(settings, direct, closing),
        analysts=analysts,
        models=defaults.load(ModelRules, MODELS, folder),
        prompt=prompt(folder),
        opinion_prompt=opinion_prompt(folder),
        offers=OfferBook(offer_file(folder), direct),
        vocabulary=vocabulary,
        grounding=defaults.load(GroundingRules, "grounding.toml", folder),
        profiles=profiles(folder),
        routing=routing,
        roster=Roster(routing, database),
        track_record=TrackRecord(database),
        companies=CompanyBook(tools, shared, key, routing),
        opinions=asked,
        sla=defaults.load(Sla, "sla.toml", folder),
        hubspot=_hubspot(settings, closing),
        slack_channel=settings.slack.channel if settings.slack.token else None,
    )


def _waterfall(settings: Settings, direct: Direct, closing: Closing) -> Waterfall:
    wanted = rules(settings.config_dir)
    shared = closing(redis(settings.redis.url))
    providers = [one for one in _providers(settings.enrichment, closing) if one.name in wanted.providers]
    vendors = Vendors(providers, wanted, shared, Windows(settings.redis.url))
    cache = closing(Cache(direct, identity_key(settings.keys), vendors, wanted, settings.worker.lease))
    return Waterfall(wanted, vendors.offers, vendors.trusts, cache)


def _providers(given: EnrichmentSettings, closing: Closing) -> list[EnrichmentProvider]:
    """Those that are set up."""
    found: list[EnrichmentProvider] = []
    if given.directory_file:
        found.append(closing(Directory(given.directory_file)))
    if key := _plain(given.clearbit_key):
        found.append(closing(Clearbit(key, base_url=given.clearbit_url, person_base_url=given.clearbit_person_url)))
    if key := _plain(given.hunter_key):
        found.append(closing(Hunter(key, base_url=given.hunter_url)))
    if key := _plain(given.pipe0_key):
        found.append(closing(Pipe0(key, base_url=given.pipe0_url)))
    if key := _plain(given.apollo_key):
        found.append(closing(apollo.Apollo(key, base_url=given.apollo_url, webhook_url=given.apollo_webhook_url)))
    if given.zoominfo_id and (key := _plain(given.zoominfo_secret)):
        base, token = given.zoominfo_url, given.zoominfo_token_url
        found.append(closing(ZoomInfo(given.zoominfo_id, key, base_url=base, token_url=token)))
    return found


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _hubspot(settings: Settings, closing: Closing) -> HubSpotContacts | None:
    given = settings.hubspot
    if given.token is None:
        return None
    return HubSpotContacts(closing(HttpUpstream("hubspot", given.base_url, headers=bearer(given.token))))
