"""Whether a paid call may be made: sums against hard caps. Pure; the sums are locked by whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

from revenueflow.enrichment.rules import EnrichmentRules

Scope: TypeAlias = tuple[str, str]
EVER = "ever"


def scopes(rules: EnrichmentRules, provider: str, campaign_id: str, day: str) -> dict[Scope, Decimal | None]:
    """Where a call counts, with the cap in US dollars; None where there is none. `day` is YYYY-MM-DD, in UTC."""
    campaign_cap = rules.caps.campaigns.get(campaign_id)
    return {
        ("all", day): dollars(rules.caps.day),
        (f"provider:{provider}", day): _maybe(rules.providers[provider].day),
        (f"campaign:{campaign_id}", EVER): _maybe(campaign_cap),
    }


def full(taken: Mapping[Scope, Decimal], caps: Mapping[Scope, Decimal | None], price: Decimal) -> str | None:
    """The first scope in which `price` finds no room, as a reason (`cap_day`, `cap_provider`, `cap_campaign`)."""
    for scope, cap in caps.items():
        if cap is not None and taken[scope] + price > cap:
            kind = scope[0].partition(":")[0]
            return "cap_day" if kind == "all" else f"cap_{kind}"
    return None


def dollars(amount: float) -> Decimal:
    """As the database counts: in millionths."""
    return Decimal(str(round(amount, 6)))


def _maybe(amount: float | None) -> Decimal | None:
    return None if amount is None else dollars(amount)
