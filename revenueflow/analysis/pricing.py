"""defaults/models.toml: what models cost, what may be spent on them in a day, and how long answers are kept."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Annotated

from pydantic import Field

from revenueflow.analysis.base import Usage
from revenueflow.domain.base import Value

MILLION = 1_000_000
Dollars = Annotated[float, Field(ge=0, le=1_000_000)]
Tokens = Annotated[int, Field(ge=0, le=10**12)]


class Caps(Value):
    """Hard caps of a day in UTC, for all replicas together. None: no cap."""

    day_usd: Dollars | None = None
    day_tokens: Tokens | None = None


class ModelRule(Caps):
    """One model: US dollars for a million tokens, the longest answer that is asked for, and caps of its own."""

    input: Dollars
    output: Dollars
    most_output_tokens: Annotated[int, Field(ge=256, le=65_536)] = 8192

    def cost(self, usage: Usage) -> Decimal:
        """US dollars, rounded up to a millionth."""
        price = Decimal(str(self.input)) * usage.input_tokens + Decimal(str(self.output)) * usage.output_tokens
        return (price / MILLION).quantize(Decimal("0.000001"), ROUND_CEILING)


class AgainRules(Value):
    """Leads that the rules analysed because models failed: how many a minute, how old, and how often each."""

    per_minute: Annotated[int, Field(ge=1, le=10_000)] = 60
    oldest_hours: Annotated[float, Field(gt=0, le=8760)] = 72
    times: Annotated[int, Field(ge=1, le=20)] = 3


class ModelRules(Value):
    """The whole file. `models` is by a part of the model's name; the longest that fits counts, else `other`."""

    version: int
    keep_days: Annotated[float, Field(ge=0.01, le=3650)] = 30
    caps: Caps
    other: ModelRule
    models: Mapping[str, ModelRule] = Field(default_factory=dict)
    again: AgainRules = AgainRules()

    def rule(self, model: str) -> ModelRule:
        """The rule for a model."""
        fitting = [name for name in self.models if name in model]
        return self.models[max(fitting, key=len)] if fitting else self.other
