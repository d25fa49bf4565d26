"""What a call waits for: the CRM's breaker, and then the three limits, all in one step. Both delay and drop nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from revenueflow.errors import UpstreamUnavailable
from revenueflow.mcp.call import Call
from revenueflow.mcp.policy import Limits
from revenueflow.resilience.breaker import Breaker
from revenueflow.resilience.quota import Quota, Window


class Entry(NamedTuple):
    """Who asks, about which lead. The pipeline and the reconciler are no caller with a limit."""

    lead_id: UUID
    caller: str | None = None


class Admission:
    """`breakers`: the target -> its breaker. `crm` is the provider's name, and `per_crm` its requests in a window."""

    def __init__(
        self, quota: Quota, breakers: Mapping[str, Breaker], limits: Limits, *, crm: str, per_crm: int
    ) -> None:
        self._quota = quota
        self._breakers = breakers
        self._limits = limits
        self._crm = crm
        self._per_crm = per_crm

    async def write(self, target: str, entry: Entry) -> None:
        """Returns once a write may be made.

        Raises UpstreamUnavailable (`breaker_open`, `rate_limited`) with the seconds to wait; then no place in a window
        is taken.
        """
        # Without Redis the lead's limit is the one that Postgres counts when the write is marked as sent.
        of_lead = self._window(f"lead:{entry.lead_id}", self._limits.per_lead)._replace(alone=False)
        await self._enter(target, [of_lead, *self._of(entry)])

    async def read(self, target: str, entry: Entry) -> None:
        """The same for reading back, which is no tool call for the lead."""
        await self._enter(target, self._of(entry))

    async def _enter(self, target: str, windows: list[Window]) -> None:
        breaker = self._breakers.get(target)
        if breaker:
            await breaker.admit()
        if target == "crm" and self._per_crm:
            windows = [*windows, self._window(f"crm:{self._crm}", self._per_crm, spread=True)]
        wait = await self._quota.take(windows)
        if wait > 0:
            if breaker:
                await breaker.withdraw()
            raise UpstreamUnavailable(target, "rate_limited", retry_after=wait)

    def _of(self, entry: Entry) -> list[Window]:
        return [self._window(f"caller:{entry.caller}", self._limits.per_caller)] if entry.caller else []

    def _window(self, name: str, calls: int, *, spread: bool = False) -> Window:
        return Window(name, calls, self._limits.window_seconds, spread)


def entry_of(call: Call, lead_id: UUID) -> Entry:
    """Agents, people and API keys have a limit of their own; the pipeline has none."""
    return Entry(lead_id, None if call.caller.lease else call.caller.id)
