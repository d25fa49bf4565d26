"""From settings to the chain of analysts: each model guarded, the rules at the end.

A vendor's library is loaded where its model is made: it takes as long as a quarter of a command does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from pydantic import SecretStr
from redis.asyncio import Redis

from revenueflow.analysis import base
from revenueflow.analysis.base import Analyst
from revenueflow.analysis.ledger import Ledger
from revenueflow.analysis.paid import Paid
from revenueflow.analysis.pricing import ModelRules
from revenueflow.db.direct import Direct
from revenueflow.privacy.identity import IdentityKey
from revenueflow.resilience.breaker import Breaker
from revenueflow.settings import AnalysisSettings, Settings


class Model(Analyst, base.Model, Protocol):
    """A model, and its connections."""

    async def aclose(self) -> None:
        """Closes them."""


def models(given: AnalysisSettings, rules: ModelRules) -> list[Model]:
    """The models that are set up, in order. Raises ConfigurationError if one needs a package that is not there."""
    return [MAKERS[name](given, rules) for name in given.names if name != "gemini" or given.api_key]


def paid(made: Model, rules: ModelRules, direct: Direct, redis: Redis, key: IdentityKey, settings: Settings) -> Paid:
    """A model with its breaker, its caps and its cache."""
    lease, timeout = settings.worker.lease, settings.analysis.timeout
    ledger = Ledger(direct, rules, lease)
    return Paid(made, rules, ledger, Breaker(made.name, redis), key, longest=max(lease - 1, timeout))


def _gemini(given: AnalysisSettings, rules: ModelRules) -> Model:
    from revenueflow.analysis.models.gemini import Gemini

    key = _plain(given.api_key) or ""
    return Gemini(api_key=key, base_url=given.base_url, model=given.model, **_how(given, rules, given.model))


def _vertex(given: AnalysisSettings, rules: ModelRules) -> Model:
    from revenueflow.analysis.models.vertex import Vertex

    return Vertex(
        model=given.vertex_model,
        project=given.vertex_project,
        location=given.vertex_location,
        api_key=_plain(given.vertex_key),
        base_url=given.vertex_url,
        **_how(given, rules, given.vertex_model),
    )


def _bedrock(given: AnalysisSettings, rules: ModelRules) -> Model:
    from revenueflow.analysis.models.aws import Keys
    from revenueflow.analysis.models.bedrock import Bedrock

    secret = _plain(given.aws_secret)
    keys = Keys(given.aws_key_id, secret, _plain(given.aws_session)) if given.aws_key_id and secret else None
    return Bedrock(
        model=given.bedrock_model,
        region=given.aws_region or "",
        api_key=_plain(given.bedrock_key),
        keys=keys,
        base_url=given.bedrock_url,
        **_how(given, rules, given.bedrock_model),
    )


MAKERS: Mapping[str, Callable[[AnalysisSettings, ModelRules], Model]] = {
    "gemini": _gemini, "vertex": _vertex, "bedrock": _bedrock,
}  # fmt: skip


def _how(given: AnalysisSettings, rules: ModelRules, model: str) -> dict[str, Any]:
    return {"timeout": given.timeout, "most_output_tokens": rules.rule(model).most_output_tokens}


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
