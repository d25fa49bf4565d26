"""The only file that names concrete providers: from settings to the capabilities of a process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, SecretStr, TypeAdapter
from redis.asyncio import Redis

from revenueflow import defaults
from revenueflow.analysis.base import Analyst
from revenueflow.analysis.models.gemini import Gemini
from revenueflow.analysis.models.rules import Rules
from revenueflow.analysis.prompt import PromptTemplate
from revenueflow.crm.base import Crm
from revenueflow.crm.http import HttpCrm
from revenueflow.crm.mock import MockCrm
from revenueflow.db.direct import Direct
from revenueflow.db.session import Database
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.base import EnrichmentProvider, Lookup
from revenueflow.enrichment.cache import Cache
from revenueflow.enrichment.providers import apollo
from revenueflow.enrichment.providers.clearbit import Clearbit
from revenueflow.enrichment.providers.directory import Directory
from revenueflow.enrichment.providers.hunter import Hunter
from revenueflow.enrichment.providers.pipe0 import Pipe0
from revenueflow.enrichment.providers.zoominfo import ZoomInfo
from revenueflow.enrichment.rules import EnrichmentRules
from revenueflow.enrichment.vendors import Vendors
from revenueflow.enrichment.waterfall import Waterfall
from revenueflow.errors import ConfigurationError
from revenueflow.grounding.rules import GroundingRules
from revenueflow.grounding.same import same_value
from revenueflow.mcp import policy
from revenueflow.mcp.registry import Registry
from revenueflow.messaging.slack import Slack
from revenueflow.pipeline.context import Services
from revenueflow.privacy.identity_file import identity_key
from revenueflow.resilience.upstream import HttpUpstream
from revenueflow.resilience.windows import Windows
from revenueflow.routing.rules import RoutingRules
from revenueflow.scoring.profile import Profile
from revenueflow.settings import EnrichmentSettings, Settings
from revenueflow.sources.aliases import AliasTable
from revenueflow.sources.aturiya_map import AturiyaMap
from revenueflow.sources.hubspot_contacts import HubSpotContacts

T = TypeVar("T", bound="Closable")


class Closable(Protocol):
    """What holds connections."""

    async def aclose(self) -> None:
        """Closes them."""


class Closing(Protocol):
    """Notes that something is to be closed when the process ends, and hands it on."""

    def __call__(self, one: T, /) -> T:
        """Notes it."""


@asynccontextmanager
async def services(settings: Settings, database: Database, direct: Direct) -> AsyncIterator[Services]:
    """The capabilities of a worker, closed at the end. Raises ConfigurationError for a wrong file."""
    async with AsyncExitStack() as stack:

        def closing(one: T, /) -> T:
            stack.push_async_callback(one.aclose)
            return one

        yield _services(settings, database, direct, closing)


def _services(settings: Settings, database: Database, direct: Direct, closing: Closing) -> Services:
    folder = settings.config_dir
    vocabulary = defaults.load(Vocabulary, "vocabulary.toml", folder)
    return Services(
        database=database,
        direct=direct,
        registry=_registry(settings, database, direct, vocabulary, closing),
        waterfall=_waterfall(settings, direct, closing),
        analysts=_analysts(settings, vocabulary, closing),
        prompt=_prompt(folder),
        vocabulary=vocabulary,
        grounding=defaults.load(GroundingRules, "grounding.toml", folder),
        profile=defaults.load(Profile, "scoring/grounded.toml", folder),
        routing=defaults.load(RoutingRules, "routing.toml", folder),
        hubspot=_hubspot(settings, closing),
        slack_channel=settings.slack.channel if settings.slack.token else None,
    )


ENRICHMENT = "enrichment.toml"
TABLES: Mapping[str, type[BaseModel]] = {
    "vocabulary.toml": Vocabulary,
    "grounding.toml": GroundingRules,
    ENRICHMENT: EnrichmentRules,
    "scoring/grounded.toml": Profile,
    "routing.toml": RoutingRules,
    "policy.toml": policy.Policy,
    "field_aliases.toml": AliasTable,
    "aturiya.toml": AturiyaMap,
}
"""The TOML files that people edit, and what each must look like."""


def check_files(folder: Path | None) -> Iterator[tuple[str, str | None]]:
    """Each file that people edit, and what is wrong with it."""
    readers: dict[str, Callable[[], object]] = {
        name: partial(defaults.load, model, name, folder) for name, model in TABLES.items()
    }
    readers[ENRICHMENT] = partial(_rules, folder)
    readers["prompts/analyse.md"] = partial(_prompt, folder)
    for name, read in readers.items():
        try:
            read()
            yield name, None
        except ConfigurationError as error:
            yield name, error.detail


def check_directory(given: EnrichmentSettings) -> Iterator[tuple[str, str | None]]:
    """The customer's own company data, if there are any, and what is wrong with them."""
    if given.directory_file:
        try:
            Directory(given.directory_file)
            yield "REVENUEFLOW_DIRECTORY_FILE", None
        except ConfigurationError as error:
            yield "REVENUEFLOW_DIRECTORY_FILE", error.detail


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one of TABLES."""
    schema = TypeAdapter(TABLES[name]).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name} | schema


def _prompt(folder: Path | None) -> PromptTemplate:
    name = "prompts/analyse.md"
    given = defaults.text(name, folder)
    try:
        return PromptTemplate.parse(given)
    except ConfigurationError as error:
        raise ConfigurationError(f"{defaults.locate(name, folder)}: {error.detail}") from None


def _registry(
    settings: Settings, database: Database, direct: Direct, vocabulary: Vocabulary, closing: Closing
) -> Registry:
    slack = settings.slack
    messenger = (
        Slack(closing(HttpUpstream("slack", slack.base_url, headers=_bearer(slack.token)))) if slack.token else None
    )
    return Registry(
        database,
        direct,
        _crm(settings, database, closing),
        messenger,
        policy.load(settings.config_dir),
        identity_key(settings.keys),
        closing(_redis(settings.redis.url)),
        same=lambda field, one, other: same_value(field, one, other, vocabulary),
        settle_seconds=settings.worker.settle,
        per_crm=settings.crm.per_minute,
    )


def _crm(settings: Settings, database: Database, closing: Closing) -> Crm:
    crm = settings.crm
    if crm.provider == "mock":
        return MockCrm(database)
    headers = _bearer(crm.token) if crm.token else {}
    return HttpCrm(closing(HttpUpstream("crm", crm.base_url or "", headers=headers, timeout=crm.timeout)))


def _waterfall(settings: Settings, direct: Direct, closing: Closing) -> Waterfall:
    rules = _rules(settings.config_dir)
    redis = closing(_redis(settings.redis.url))
    providers = [one for one in _providers(settings.enrichment, closing) if one.name in rules.providers]
    vendors = Vendors(providers, rules, redis, Windows(settings.redis.url))
    cache = closing(Cache(direct, identity_key(settings.keys), vendors, rules, settings.worker.lease))
    return Waterfall(rules, vendors.offers, vendors.trusts, cache)


CATALOGUE: Mapping[str, Iterable[Lookup]] = {
    "directory": Directory.lookups,
    "clearbit": Clearbit.lookups,
    "hunter": Hunter.lookups,
    "pipe0": Pipe0.lookups,
    "apollo": (*apollo.LOOKUPS, apollo.WATERFALL),
    "zoominfo": ZoomInfo.lookups,
}
"""Every provider that there is, and what it can be asked."""


def _rules(folder: Path | None) -> EnrichmentRules:
    """enrichment.toml, held against the catalogue. Raises ConfigurationError with key and what is allowed."""
    rules = defaults.load(EnrichmentRules, ENRICHMENT, folder)
    for name, rule in rules.providers.items():
        allowed = CATALOGUE if name not in CATALOGUE else [lookup.name for lookup in CATALOGUE[name]]
        wrong = (
            [f"providers.{name}"]
            if name not in CATALOGUE
            else [f"providers.{name}.price.{lookup}" for lookup in rule.price if lookup not in allowed]
        )
        if wrong:
            where = defaults.locate(ENRICHMENT, folder)
            raise ConfigurationError(f"{where}: {', '.join(wrong)}: must be among {', '.join(allowed)}")
    for signal, wanted in rules.signals.items():
        able = [name for name, lookups in CATALOGUE.items() if any(signal in each.signals for each in lookups)]
        if set(wanted.providers) - set(able):
            key = f"{defaults.locate(ENRICHMENT, folder)}: signals.{signal.value}.providers"
            raise ConfigurationError(f"{key}: must be among {', '.join(able)}, which can tell it")
    return rules


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


def _redis(url: str) -> Redis:
    redis: Redis = Redis.from_url(url, socket_timeout=2, socket_connect_timeout=1)
    return redis


def _analysts(settings: Settings, vocabulary: Vocabulary, closing: Closing) -> tuple[Analyst, ...]:
    given, rules = settings.analysis, Rules(vocabulary)
    if given.provider == "rules" or given.api_key is None:
        return (rules,)
    key = given.api_key.get_secret_value()
    gemini = Gemini(api_key=key, base_url=given.base_url, model=given.model, timeout=given.timeout)
    return closing(gemini), rules


def _hubspot(settings: Settings, closing: Closing) -> HubSpotContacts | None:
    given = settings.hubspot
    if given.token is None:
        return None
    return HubSpotContacts(closing(HttpUpstream("hubspot", given.base_url, headers=_bearer(given.token))))


def _bearer(token: SecretStr | None) -> dict[str, str]:
    return {"authorization": f"Bearer {token.get_secret_value()}"} if token else {}
