"""The guarded tools: the CRM, the messenger and the policy behind one registry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from revenueflow import defaults
from revenueflow.crm.base import Crm
from revenueflow.crm.http import HttpCrm
from revenueflow.crm.hubspot.crm import HubSpot
from revenueflow.crm.mapping import CrmMap
from revenueflow.crm.mock import MockCrm
from revenueflow.crm.salesforce.crm import Salesforce
from revenueflow.crm.salesforce.session import Session
from revenueflow.db.direct import Direct
from revenueflow.db.session import Database
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.grounding.same import same_value
from revenueflow.mcp import policy
from revenueflow.mcp.registry import Registry
from revenueflow.messaging.slack import Slack
from revenueflow.privacy.identity_file import identity_key
from revenueflow.resilience.upstream import HttpUpstream
from revenueflow.settings import Settings
from revenueflow.wiring.closing import Closing, bearer, closing, redis


@asynccontextmanager
async def tools(settings: Settings, database: Database, direct: Direct) -> AsyncIterator[Registry]:
    """The guarded tools alone, closed at the end. Raises ConfigurationError for a wrong file."""
    async with closing() as note:
        vocabulary = defaults.load(Vocabulary, "vocabulary.toml", settings.config_dir)
        yield registry(settings, database, direct, vocabulary, note)


def registry(
    settings: Settings, database: Database, direct: Direct, vocabulary: Vocabulary, closing: Closing
) -> Registry:
    """The guarded tools over what settings name."""
    slack = settings.slack
    messenger = (
        Slack(closing(HttpUpstream("slack", slack.base_url, headers=bearer(slack.token)))) if slack.token else None
    )
    return Registry(
        database,
        direct,
        _crm(settings, direct, closing),
        messenger,
        policy.load(settings.config_dir),
        identity_key(settings.keys),
        closing(redis(settings.redis.url)),
        same=lambda field, one, other: same_value(field, one, other, vocabulary),
        settle_seconds=settings.worker.settle,
        per_crm=settings.crm.per_minute,
    )


def _crm(settings: Settings, direct: Direct, closing: Closing) -> Crm:
    crm = settings.crm
    if crm.provider == "mock":
        return MockCrm(direct)
    if crm.provider == "salesforce":
        return _salesforce(settings, closing)
    if crm.provider == "hubspot":
        return _hubspot(settings, closing)
    headers = bearer(crm.token) if crm.token else {}
    return HttpCrm(closing(HttpUpstream("crm", crm.base_url or "", headers=headers, timeout=crm.timeout)))


def _salesforce(settings: Settings, closing: Closing) -> Crm:
    given, timeout = settings.salesforce, settings.crm.timeout
    upstream = closing(HttpUpstream("salesforce", given.base_url or "", timeout=timeout))
    secret = given.client_secret.get_secret_value() if given.client_secret else ""
    session = Session(upstream, given.client_id or "", secret)
    return Salesforce(session, defaults.load(CrmMap, "salesforce.toml", settings.config_dir), version=given.version)


def _hubspot(settings: Settings, closing: Closing) -> Crm:
    given, timeout = settings.hubspot, settings.crm.timeout
    upstream = closing(HttpUpstream("hubspot", given.base_url, headers=bearer(given.token), timeout=timeout))
    return HubSpot(upstream, defaults.load(CrmMap, "hubspot.toml", settings.config_dir))
