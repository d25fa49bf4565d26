"""defaults/enrichment.toml: where each fact comes from, in which order, how fresh it must be, and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from revenueflow.domain.base import Value
from revenueflow.domain.evidence import Signal
from revenueflow.domain.lead import LeadForm
from revenueflow.enrichment.base import Lookup


def _countable(amount: float) -> float:
    if 0 < amount < 0.000001:
        raise ValueError("0, or at least 0.000001")
    return amount


Dollars = Annotated[float, Field(ge=0, le=1_000_000), AfterValidator(_countable)]
Days = Annotated[float, Field(ge=0.01, le=3650)]
FORM_ONLY = frozenset({Signal.MESSAGE, Signal.SOURCE})


def _is_looked_up(signal: Signal) -> Signal:
    if signal in FORM_ONLY:
        raise ValueError("only the form can say it")
    return signal


LookedUp = Annotated[Signal, AfterValidator(_is_looked_up)]


class Overwrite(StrEnum):
    """When a provider's value goes before what the lead says of itself.

    `never`: it is kept as evidence only. `when_fresher`: if it was fetched after the lead came in.
    """

    NEVER = "never"
    WHEN_BLANK = "when_blank"
    WHEN_FRESHER = "when_fresher"
    ALWAYS = "always"


class Condition(Value):
    """When a signal is looked up: all that is set must hold. Words are compared without case.

    `missing` and `given` name fields of the form. A headcount is the one that a provider has said: a signal with such a
    condition waits for it.
    """

    missing: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    headcount_from: Annotated[int, Field(ge=0)] | None = None
    headcount_to: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _from_less_to_more(self) -> Self:
        if self.headcount_to is not None and (self.headcount_from or 0) > self.headcount_to:
            raise ValueError("headcount_from must not be above headcount_to")
        return self

    @field_validator("missing", "given")
    @classmethod
    def _names_fields(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if set(names) - LeadForm.model_fields.keys():
            raise ValueError(f"each must be among {', '.join(LeadForm.model_fields)}")
        return names


NO_CONDITION = Condition()


class SignalRule(Value):
    """How one signal is looked up."""

    providers: tuple[str, ...]
    answers: Annotated[int, Field(ge=1, le=10)] = 1
    fresh_days: Days = 30
    overwrite: Overwrite = Overwrite.ALWAYS
    enabled: bool = True
    only_if: Condition = NO_CONDITION

    @field_validator("providers")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError("each provider once")
        return names


class ProviderRule(Value):
    """What a provider charges, and what it may be asked. `price` is in US dollars for one answer, by lookup."""

    price: Mapping[str, Dollars] = Field(default_factory=dict)
    charged: Literal["found", "asked"] = "found"
    day: Dollars | None = None
    at_once: Annotated[int, Field(ge=1, le=1000)] = 50
    per_second: Annotated[int, Field(ge=1)] | None = None
    per_minute: Annotated[int, Field(ge=1)] | None = None


class Caps(Value):
    """Hard caps in US dollars: of a day (UTC), and of a campaign over its whole life."""

    day: Dollars
    campaigns: Mapping[str, Dollars] = Field(default_factory=dict)


class CampaignRule(Value):
    """What is different for one campaign."""

    off: tuple[LookedUp, ...] = ()


class EnrichmentRules(Value):
    """The whole file."""

    version: int
    budget_seconds: Annotated[float, Field(gt=0, le=25)] = 10
    patience_seconds: Annotated[float, Field(ge=0, le=86_400)] = 120
    not_found_days: Days = 7
    stale_days: Days = 180
    caps: Caps
    providers: Mapping[str, ProviderRule]
    signals: Mapping[LookedUp, SignalRule]
    campaigns: Mapping[str, CampaignRule] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_known_providers(self) -> Self:
        for signal, rule in self.signals.items():
            if signal is Signal.HEADCOUNT and (rule.only_if.headcount_from, rule.only_if.headcount_to) != (None, None):
                raise ValueError("signals.headcount.only_if: it can't wait for itself")
            if unknown := [name for name in rule.providers if name not in self.providers]:
                raise ValueError(
                    f"signals.{signal.value}.providers: {', '.join(unknown)}: must be among {', '.join(self.providers)}"
                )
        return self

    def of_campaign(self, campaign_id: str) -> dict[Signal, SignalRule]:
        """The signals that are looked up for a campaign."""
        off = self.campaigns[campaign_id].off if campaign_id in self.campaigns else ()
        return {signal: rule for signal, rule in self.signals.items() if rule.enabled and signal not in off}

    def price(self, provider: str, lookup: Lookup) -> float:
        """US dollars for one answer."""
        return self.providers[provider].price.get(lookup.name, 0.0)

    def good_for(self, lookup: Lookup, signals: frozenset[Signal]) -> timedelta:
        """How old an answer may be that is wanted for these signals."""
        days = [self.signals[one].fresh_days for one in signals & lookup.signals if one in self.signals]
        return timedelta(days=min(days, default=self.not_found_days))
