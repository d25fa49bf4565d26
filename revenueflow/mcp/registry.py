"""The registry: `call` is the one function that leads to a CRM, for the pipeline, people and agents alike."""

from __future__ import annotations

from collections.abc import Mapping

from revenueflow.crm.base import Crm
from revenueflow.db.direct import Direct
from revenueflow.db.session import Database
from revenueflow.domain.action import ToolResult
from revenueflow.mcp.call import Call
from revenueflow.mcp.checks import SameValue
from revenueflow.mcp.guard import Guard
from revenueflow.mcp.ledger import Ledger
from revenueflow.mcp.policy import Policy
from revenueflow.mcp.reads import Reader
from revenueflow.mcp.reconciler import reconcile_open
from revenueflow.mcp.targets import CrmTarget, MessengerTarget, Target
from revenueflow.messaging.base import Messenger
from revenueflow.privacy.identity import IdentityKey


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
        *,
        same: SameValue,
        settle_seconds: float,
    ) -> None:
        written = CrmTarget(crm)
        targets: Mapping[str, Target] = {"crm": written, "messenger": MessengerTarget(messenger)}
        self._database = database
        self._policy = policy
        self._ledger = Ledger(database, direct, targets, settle_seconds=settle_seconds)
        reader = Reader(database, direct, written, policy)
        self._guard = Guard(database, direct, policy, self._ledger, reader, key, same)

    @property
    def policy(self) -> Policy:
        """What may be written, by whom."""
        return self._policy

    async def call(self, call: Call) -> ToolResult:
        """Makes a guarded call. Raises LeaseLost if the caller's lease is gone."""
        return await self._guard.call(call)

    async def reconcile(self, *, quiet: float) -> int:
        """Settles writes whose outcome has been open for `quiet` seconds and that no job is working on."""
        return await reconcile_open(self._database, self._ledger, self._policy, quiet=quiet)
