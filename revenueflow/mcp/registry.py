"""The registry: `call` is the one function that leads to a CRM, for the pipeline, people and agents alike."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from redis.asyncio import Redis

from revenueflow.audit.trail import Subject
from revenueflow.crm.base import Crm
from revenueflow.db.actions import LeadLimit
from revenueflow.db.direct import Direct
from revenueflow.db.session import Database
from revenueflow.domain.action import ToolResult
from revenueflow.domain.outcome import AuditEntry
from revenueflow.mcp.admission import Admission
from revenueflow.mcp.approvals import Approvals
from revenueflow.mcp.call import Call
from revenueflow.mcp.checks import SameValue
from revenueflow.mcp.guard import Guard
from revenueflow.mcp.ledger import Ledger
from revenueflow.mcp.policy import Policy
from revenueflow.mcp.reads import Reader
from revenueflow.mcp.reconciler import reconcile_open
from revenueflow.mcp.scope import Scope
from revenueflow.mcp.targets import CrmTarget, MessengerTarget, Target
from revenueflow.messaging.base import Messenger
from revenueflow.privacy.identity import IdentityKey
from revenueflow.resilience.breaker import Breaker
from revenueflow.resilience.quota import Quota


class Registry:
    """The tools, behind the guard."""

    def __init__(
        self,
        database: Database,
        direct: Direct,
        crm: Crm,
        messenger: Messenger | None,
        policy: Policy,
        key: IdentityKey,
        redis: Redis,
        *,
        same: SameValue,
        settle_seconds: float,
        per_crm: int | None = None,
    ) -> None:
        breaker = Breaker(crm.name, redis, failures=policy.breaker.failures, pause=policy.breaker.pause_seconds)
        limits, written = policy.limits, CrmTarget(crm, breaker)
        targets: Mapping[str, Target] = {"crm": written, "messenger": MessengerTarget(messenger)}
        most = 0 if crm.name == "mock" else limits.per_crm if per_crm is None else per_crm
        admission = Admission(Quota(redis), {"crm": breaker}, limits, crm=crm.name, per_crm=most)
        limit = LeadLimit(limits.per_lead, limits.window_seconds)
        self._database = database
        self._policy = policy
        self._told = False
        self._telling = asyncio.Lock()
        self._ledger = Ledger(database, direct, targets, admission, limit, settle_seconds=settle_seconds)
        self.scope = Scope(direct, policy)
        reader = Reader(direct, written, admission, self._ledger, policy)
        approvals = Approvals(database, self.scope, policy, key)
        self._guard = Guard(direct, policy, self._ledger, reader, approvals, self.scope, key, same)

    @property
    def policy(self) -> Policy:
        """What may be written, by whom."""
        return self._policy

    async def call(self, call: Call) -> ToolResult:
        """Makes a guarded call. Raises LeaseLost if the caller's lease is gone."""
        await self._tell_policy()
        return await self._guard.call(call)

    async def _tell_policy(self) -> None:
        """The trail says which version of the policy this process judges by, before it judges for the first time."""
        if self._told:
            return
        async with self._telling:
            if not self._told:
                detail = {"sha256": self._policy.sha256, "version": self._policy.version}
                await self._ledger.note(Subject(), AuditEntry("policy.loaded", "loaded", detail, actor="guard"))
                self._told = True

    async def reconcile(self, *, quiet: float) -> int:
        """Settles writes whose outcome has been open for `quiet` seconds and that no job is working on."""
        await self._tell_policy()
        return await reconcile_open(self._database, self._ledger, self._policy, quiet=quiet)
