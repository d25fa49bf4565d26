"""Who in the CRM owns a lead's company and its open opportunities: asked through the guard, kept in Redis for a while.

Routing is right only if the CRM has been asked, so a lead waits for it, though not for long (`crm_owners` in
routing.toml); then it goes on with an older answer, or without one, and the path says so.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import NamedTuple

from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from revenueflow.domain.action import CallStatus, ToolResult
from revenueflow.domain.base import Value
from revenueflow.domain.lead import Lead
from revenueflow.mcp.call import Call, Caller
from revenueflow.mcp.registry import Registry
from revenueflow.privacy.identity import IdentityKey
from revenueflow.routing.crm_owners import CompanyOwners
from revenueflow.routing.rules import RoutingRules

TOOL = "match_account"
KEPT_SECONDS = 86_400
"""An answer that is older than the rules want still serves for so long while the CRM is away."""


AWAY_SECONDS = 1.0
"""How long Redis is not asked again after it did not answer."""


class Known(NamedTuple):
    """What is known now. `ask_again`: seconds until the CRM may say more; None if there is nothing to wait for."""

    owners: CompanyOwners
    ask_again: float | None = None


class _Kept(Value):
    asked_at: float
    owners: CompanyOwners


class CompanyBook:
    """Asks the CRM, unless it was asked lately."""

    def __init__(self, registry: Registry, redis: Redis, key: IdentityKey, rules: RoutingRules) -> None:
        self._registry = registry
        self._redis = redis
        self._key = key
        self._rules = rules.crm_owners
        self._wanted = (
            rules.existing_owner and rules.crm_owners.ask and TOOL in registry.policy.roles.get("pipeline", ())
        )
        self._away_until = 0.0

    async def of(self, lead: Lead, caller: Caller) -> Known:
        """The owners of the company of a lead; nobody if it has no domain, or if the rules don't want to know."""
        if not self._wanted or lead.domain is None:
            return Known(CompanyOwners())
        name = f"revenueflow:owners:{self._key.derive('owners', lead.domain)}"
        kept = await self._kept(name)
        if kept and time.time() - kept.asked_at < self._rules.keep_minutes * 60:
            return Known(kept.owners)
        call = Call(TOOL, {"lead_id": lead.id, "domain": lead.domain}, caller)
        answer = await self._registry.call(call)
        if answer.status is CallStatus.CONFIRMED:
            return Known(await self._keep(name, _owners(answer)))
        return Known(kept.owners) if kept else Known(CompanyOwners(not_known=_reason(answer)), answer.retry_after)

    def is_patient(self, waited: float) -> bool:
        """Whether a lead that was received so many seconds ago waits for the CRM."""
        return waited < self._rules.patience_seconds

    async def _kept(self, name: str) -> _Kept | None:
        if time.monotonic() < self._away_until:
            return None
        try:
            found = await self._redis.get(name)
        except (RedisError, OSError):
            self._away_until = time.monotonic() + AWAY_SECONDS
            return None
        with suppress(ValidationError):  # another version wrote it
            return _Kept.model_validate_json(found) if found else None
        return None

    async def _keep(self, name: str, owners: CompanyOwners) -> CompanyOwners:
        kept = _Kept(asked_at=time.time(), owners=owners)
        if time.monotonic() >= self._away_until:
            with suppress(RedisError, OSError):
                await self._redis.set(name, kept.model_dump_json(), ex=KEPT_SECONDS)
        return owners


def _owners(answer: ToolResult) -> CompanyOwners:
    told = answer.result or {}
    given = {"accounts": told.get("accounts"), "owners": told.get("owner_ids")}
    given |= {"opportunity_owners": told.get("opportunity_owner_ids"), "not_understood": told.get("not_understood", [])}
    return CompanyOwners.model_validate(given)


def _reason(answer: ToolResult) -> str:
    if answer.denial:
        return answer.denial.code
    return str((answer.result or {}).get("reason", answer.status.value))
