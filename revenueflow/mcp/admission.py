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

OWN_LIMIT = "own_limit"
"""What work of the pipeline outside of runs is told: a limit of ours is full, and the CRM was not asked."""
SHARE = 4
"""Work of the pipeline outside of runs takes, under each of its names, at most one part in so many of the CRM's
limit: runs always have the rest."""


class Entry(NamedTuple):
    """Who asks, about which lead: `caller` has a limit of its own, `background` is the pipeline outside of a run.

    A run and the reconciler are neither.
    """

    lead_id: UUID
    caller: str | None = None
    background: str | None = None


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

        Raises UpstreamUnavailable (`breaker_open`, `rate_limited`, for the pipeline outside of runs `own_limit`) with
        the seconds to wait; then no place in a window is taken.
        """
        # Without Redis the lead's limit is the one that Postgres counts when the write is marked as sent.
        of_lead = self._window(f"lead:{entry.lead_id}", self._limits.per_lead)._replace(alone=False)
        await self._enter(target, entry, [of_lead])

    async def read(self, target: str, entry: Entry) -> None:
        """The same for reading back, which is no tool call for the lead."""
        await self._enter(target, entry, [])

    async def _enter(self, target: str, entry: Entry, windows: list[Window]) -> None:
        breaker = self._breakers.get(target)
        if breaker:
            await breaker.admit()
        wait = await self._quota.take([*windows, *self._of(target, entry)])
        if wait > 0:
            if breaker:
                await breaker.withdraw()
            raise UpstreamUnavailable(target, OWN_LIMIT if entry.background else "rate_limited", retry_after=wait)

    def _of(self, target: str, entry: Entry) -> list[Window]:
        windows = [self._window(f"caller:{entry.caller}", self._limits.per_caller)] if entry.caller else []
        if target == "crm" and self._per_crm:
            windows.append(self._window(f"crm:{self._crm}", self._per_crm, spread=True))
            if entry.background:
                windows.append(self._window(f"crm:{self._crm}:{entry.background}", max(1, self._per_crm // SHARE)))
        return windows

    def _window(self, name: str, calls: int, *, spread: bool = False) -> Window:
        return Window(name, calls, self._limits.window_seconds, spread)


def entry_of(call: Call, lead_id: UUID) -> Entry:
    """Agents, people and API keys have a limit of their own; the pipeline has that of the CRM."""
    caller = call.caller
    if caller.lease:
        return Entry(lead_id)
    if caller.role == "pipeline":
        return Entry(lead_id, background=caller.id)
    return Entry(lead_id, caller.id)
