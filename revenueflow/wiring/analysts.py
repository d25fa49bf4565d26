"""The chain of analysts: the models that are set up, each within its caps, and the rules at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from revenueflow import defaults
from revenueflow.analysis import configured
from revenueflow.analysis.base import Analyst
from revenueflow.analysis.models.rules import Rules
from revenueflow.analysis.pricing import ModelRules
from revenueflow.db.direct import Direct
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.privacy.identity_file import identity_key
from revenueflow.settings import AnalysisSettings, Settings
from revenueflow.wiring.closing import Closing, closing, redis
from revenueflow.wiring.files import MODELS


@asynccontextmanager
async def analysts(vocabulary: Vocabulary, folder: Path | None) -> AsyncIterator[Sequence[Analyst]]:
    """The chain for a command. Without a model it needs no database; with one, its caps are kept there."""
    given = Settings.only(AnalysisSettings)
    if not configured.models(given, defaults.load(ModelRules, MODELS, folder)):
        yield (Rules(vocabulary),)
        return
    settings = Settings.load()
    async with Direct(settings.database, application="score") as direct, closing() as note:
        yield configured_analysts(settings, direct, vocabulary, note)


def configured_analysts(
    settings: Settings, direct: Direct, vocabulary: Vocabulary, closing: Closing
) -> tuple[Analyst, ...]:
    """The chain of a worker. Closed in the opposite order: calls that are under way end before their connections."""
    rules = defaults.load(ModelRules, MODELS, settings.config_dir)
    models = [closing(one) for one in configured.models(settings.analysis, rules)]
    if not models:
        return (Rules(vocabulary),)
    shared, key = closing(redis(settings.redis.url)), identity_key(settings.keys)
    paid = [closing(configured.paid(one, rules, direct, shared, key, settings)) for one in models]
    return (*paid, Rules(vocabulary))
