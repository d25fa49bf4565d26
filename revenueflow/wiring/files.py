"""The files that people edit: what each must look like, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from revenueflow import defaults
from revenueflow.analysis import configured, opinions
from revenueflow.analysis.offers import Offers
from revenueflow.analysis.pricing import ModelRules
from revenueflow.analysis.prompt import PromptTemplate
from revenueflow.crm.mapping import CrmMap
from revenueflow.defaults.toml_lines import line_of
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.base import Lookup
from revenueflow.enrichment.providers import apollo
from revenueflow.enrichment.providers.clearbit import Clearbit
from revenueflow.enrichment.providers.directory import Directory
from revenueflow.enrichment.providers.hunter import Hunter
from revenueflow.enrichment.providers.pipe0 import Pipe0
from revenueflow.enrichment.providers.zoominfo import ZoomInfo
from revenueflow.enrichment.rules import EnrichmentRules
from revenueflow.errors import ConfigurationError
from revenueflow.grounding.free.tables import FreeStatements
from revenueflow.grounding.rules import GroundingRules
from revenueflow.mcp import policy
from revenueflow.privacy import retention
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.sla import Sla
from revenueflow.scoring.profile import Profile, ProfileMap, Profiles
from revenueflow.settings import AnalysisSettings, EnrichmentSettings
from revenueflow.sources.aliases import AliasTable
from revenueflow.sources.aturiya_map import AturiyaMap
from revenueflow.wiring.profiles import published

ENRICHMENT = "enrichment.toml"
MODELS = "models.toml"
OFFER = "offer.toml"
PROFILES = "profiles.toml"
TABLES: Mapping[str, type[BaseModel]] = {
    "vocabulary.toml": Vocabulary,
    "grounding.toml": GroundingRules,
    "free_statements.toml": FreeStatements,
    ENRICHMENT: EnrichmentRules,
    MODELS: ModelRules,
    OFFER: Offers,
    PROFILES: ProfileMap,
    "scoring/grounded.toml": Profile,
    "scoring/six_factor.toml": Profile,
    "scoring/dual_layer.toml": Profile,
    "routing.toml": RoutingRules,
    retention.FILE: retention.RetentionRules,
    "sla.toml": Sla,
    "policy.toml": policy.Policy,
    "salesforce.toml": CrmMap,
    "hubspot.toml": CrmMap,
    "field_aliases.toml": AliasTable,
    "aturiya.toml": AturiyaMap,
}
"""The TOML files that people edit, and what each must look like."""


def check_files(folder: Path | None) -> Iterator[tuple[str, str | None]]:
    """Each file that people edit, and what is wrong with it; a mistake that stops several is told of the first."""
    from revenueflow.mcp.server.reading import FILES, titled  # MCP's types: a quarter of a second for all who only read

    readers: dict[str, Callable[[], object]] = {
        name: partial(defaults.load, model, name, folder) for name, model in TABLES.items()
    }
    readers |= {f"scoring/{name}.toml": partial(profile, name, folder) for name in profile_names(folder)}
    readers[PROFILES] = partial(profile_map, folder)
    readers[OFFER] = partial(offer_file, folder)
    readers[ENRICHMENT] = partial(rules, folder)
    readers["prompts/analyse.md"] = partial(prompt, folder)
    readers["prompts/second_opinion.md"] = partial(opinion_prompt, folder)
    readers |= {name: partial(titled, name, folder) for name in FILES}
    told: set[str] = set()
    for name, read in readers.items():
        try:
            read()
            yield name, None
        except ConfigurationError as error:
            yield name, None if error.detail in told else error.detail
            told.add(error.detail)


def check_directory(given: EnrichmentSettings) -> Iterator[tuple[str, str | None]]:
    """The customer's own company data, if there are any, and what is wrong with them."""
    if given.directory_file:
        try:
            Directory(given.directory_file)
            yield "REVENUEFLOW_DIRECTORY_FILE", None
        except ConfigurationError as error:
            yield "REVENUEFLOW_DIRECTORY_FILE", error.detail


def check_analysts(given: AnalysisSettings, folder: Path | None) -> Iterator[tuple[str, str | None]]:
    """The chain of analysts, and what keeps one of them from being asked."""
    try:
        configured.models(given, defaults.load(ModelRules, MODELS, folder))
        yield "ANALYSTS", None
    except ConfigurationError as error:
        yield "ANALYSTS", error.detail


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one of TABLES."""
    schema = TypeAdapter(TABLES[name]).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name} | schema


def prompt(folder: Path | None) -> PromptTemplate:
    """prompts/analyse.md. Raises ConfigurationError with the file."""
    return _prompt("prompts/analyse.md", PromptTemplate.parse, folder)


def opinion_prompt(folder: Path | None) -> PromptTemplate:
    """prompts/second_opinion.md. Raises ConfigurationError with the file."""
    return _prompt("prompts/second_opinion.md", opinions.template, folder)


def _prompt(name: str, read: Callable[[str], PromptTemplate], folder: Path | None) -> PromptTemplate:
    try:
        return read(defaults.text(name, folder))
    except ConfigurationError as error:
        raise ConfigurationError(f"{defaults.locate(name, folder)}: {error.detail}") from None


def profile_names(folder: Path | None) -> list[str]:
    """The scoring profiles that there are: ours, and those of the operator."""
    places = [defaults.HERE, *([folder] if folder else [])]
    return sorted({path.stem for place in places for path in (place / "scoring").glob("*.toml")})


def profile(name: str, folder: Path | None) -> Profile:
    """scoring/NAME.toml. Raises ConfigurationError with the file, each key path and its line."""
    return published(name, folder)


def profile_map(folder: Path | None) -> ProfileMap:
    """profiles.toml. Raises ConfigurationError for a profile that there is no file for."""
    chosen = defaults.load(ProfileMap, PROFILES, folder)
    known = profile_names(folder)
    for key in [("default",), *(("campaigns", name) for name in chosen.campaigns)]:
        if (chosen.default if len(key) == 1 else chosen.campaigns[key[1]]) not in known:
            line = line_of(defaults.text(PROFILES, folder), key)
            where = f"{defaults.locate(PROFILES, folder)}: {'.'.join(key)}"
            raise ConfigurationError(f"{where}: must be among {', '.join(known)} (line {line})")
    return chosen


def offer_file(folder: Path | None) -> Offers:
    """offer.toml. Raises ConfigurationError for a profile that there is no file for."""
    found, known = defaults.load(Offers, OFFER, folder), profile_names(folder)
    for campaign, name in found.profiles.items():
        if name not in known:
            line = line_of(defaults.text(OFFER, folder), ("profiles", campaign))
            where = f"{defaults.locate(OFFER, folder)}: profiles.{campaign}"
            raise ConfigurationError(f"{where}: must be among {', '.join(known)} (line {line})")
    return found


def profiles(folder: Path | None) -> Profiles:
    """profiles.toml, and all profiles that there are. Raises ConfigurationError with file, key path and line."""
    known = {name: profile(name, folder) for name in profile_names(folder)}
    return Profiles(chosen=profile_map(folder), known=known)


CATALOGUE: Mapping[str, Iterable[Lookup]] = {
    "directory": Directory.lookups,
    "clearbit": Clearbit.lookups,
    "hunter": Hunter.lookups,
    "pipe0": Pipe0.lookups,
    "apollo": (*apollo.LOOKUPS, apollo.WATERFALL),
    "zoominfo": ZoomInfo.lookups,
}
"""Every provider that there is, and what it can be asked."""


def rules(folder: Path | None) -> EnrichmentRules:
    """enrichment.toml, held against the catalogue. Raises ConfigurationError with key and what is allowed."""
    found = defaults.load(EnrichmentRules, ENRICHMENT, folder)
    for name, rule in found.providers.items():
        allowed = CATALOGUE if name not in CATALOGUE else [lookup.name for lookup in CATALOGUE[name]]
        wrong = (
            [f"providers.{name}"]
            if name not in CATALOGUE
            else [f"providers.{name}.price.{lookup}" for lookup in rule.price if lookup not in allowed]
        )
        if wrong:
            where = defaults.locate(ENRICHMENT, folder)
            raise ConfigurationError(f"{where}: {', '.join(wrong)}: must be among {', '.join(allowed)}")
    for signal, wanted in found.signals.items():
        able = [name for name, lookups in CATALOGUE.items() if any(signal in each.signals for each in lookups)]
        if set(wanted.providers) - set(able):
            key = f"{defaults.locate(ENRICHMENT, folder)}: signals.{signal.value}.providers"
            raise ConfigurationError(f"{key}: must be among {', '.join(able)}, which can tell it")
    return found
