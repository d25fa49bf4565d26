"""Who in the CRM owns a lead's company and its open opportunities: asked through the guard, kept in Redis for a while.

Routing is right only if the CRM has been asked, so a lead waits for it: while a limit is full, as long as that takes;
for a CRM that does not answer, not for ever (`crm_owners` in routing.toml). Then it goes on with an older answer, or
without one, and the path says so.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from revenueflow.clock import rfc3339
from revenueflow.domain.action import CallStatus, ToolResult
from revenueflow.domain.base import Value
from revenueflow.domain.lead import Lead
from revenueflow.mcp.call import Call, Caller
from revenueflow.mcp.registry import Registry
from revenueflow.privacy.identity import IdentityKey
from revenueflow.routing.crm_owners import CompanyOwners
from revenueflow.routing.rules import RoutingRules

TOOL = "match_account"
FULL = "rate_limited"
"""The reason of a limit, ours or the CRM's."""
KEPT_SECONDS = 86_400
"""An answer that is older than the rules want still serves for so long while the CRM is away."""
AWAY_SECONDS = 1.0
"""How long Redis is not asked again after it did not answer."""


class Known(NamedTuple):
    """What is known now. `wait`: seconds after which the lead is to ask again, instead of being routed by this."""

    owners: CompanyOwners
    wait: float | None = None


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
        """The owners of the company of a lead; nobody if it has no domain, or if the rules don't want to know.

        A caller without a lease is told at once what is known.
        """
        if not self._wanted or lead.domain is None:
            return Known(CompanyOwners())
        name = f"revenueflow:owners:{self._key.derive('owners', lead.domain)}"
        kept = await self._kept(name)
        if kept and time.time() - kept.asked_at < self._rules.keep_minutes * 60:
            return Known(kept.owners)
        answer = await self._registry.call(Call(TOOL, {"lead_id": lead.id, "domain": lead.domain}, caller))
        if answer.status is CallStatus.CONFIRMED:
            return Known(await self._keep(name, _owners(answer)))
        reason = _reason(answer)
        if answer.retry_after is not None and await self._may_wait(caller, reason):
            return Known(CompanyOwners(not_known=reason), answer.retry_after)
        known = kept.owners.model_copy(update={"as_of": _time(kept.asked_at)}) if kept else CompanyOwners()
        return Known(known.model_copy(update={"not_known": reason}))

    async def _may_wait(self, caller: Caller, reason: str) -> bool:
        """A full limit is no CRM that is away: the lead's writes would wait for it as well."""
        if caller.lease is None or reason == FULL:
            return caller.lease is not None
        if not self._rules.patience_seconds:
            return False
        name = f"revenueflow:owners:since:{caller.lease.job_id}"
        try:
            since = await self._redis.set(name, time.time(), nx=True, get=True, ex=KEPT_SECONDS)
        except (RedisError, OSError):
            return True  # nothing is written either, while limits can't be counted
        return since is None or time.time() - float(since) < self._rules.patience_seconds

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


def _time(at: float) -> str:
    return rfc3339(datetime.fromtimestamp(at, UTC).replace(microsecond=0))


def _owners(answer: ToolResult) -> CompanyOwners:
    told = answer.result or {}
    given = {"accounts": told.get("accounts"), "owners": told.get("owner_ids")}
    given |= {"opportunity_owners": told.get("opportunity_owner_ids"), "not_understood": told.get("not_understood", [])}
    return CompanyOwners.model_validate(given)


def _reason(answer: ToolResult) -> str:
    if answer.denial:
        return answer.denial.code
    return str((answer.result or {}).get("reason", answer.status.value))
