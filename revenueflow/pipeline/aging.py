"""Leads that are past their time are erased as a person is who asks for it, but for this: nobody asked.

Whoever sends something again is a lead again, at once. What comes while a lead is being erased is not lost: what goes
is what had come before; the run of what comes waits until it is gone (`capture`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from uuid import UUID

from revenueflow.audit import trail
from revenueflow.db import aged, erasing
from revenueflow.db.direct import Direct
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import NotFound
from revenueflow.pipeline.erasure import settle
from revenueflow.pipeline.persons import identify
from revenueflow.privacy.identity import IdentityKey
from revenueflow.telemetry import metrics


async def run(
    direct: Direct, key: IdentityKey, days: Mapping[str, int], *, most: int, batch: int
) -> AsyncIterator[int]:
    """Erases up to `most` people whose leads are past their time; how many leads each had.

    First those with whom a round before did not come to an end. Raises Unavailable.
    """
    left = most
    async for lead_id, closed in _due(direct, days, batch):
        try:
            if closed or await _close(direct, key, lead_id, days):
                yield await _clear(direct, key, lead_id)
                left -= 1
        except NotFound:
            continue  # erased with another lead of the same person
        if left <= 0:
            return


async def count(direct: Direct, days: Mapping[str, int], *, batch: int) -> int:
    """How many leads are past their time now."""
    return sum([len(page) async for page in aged.walk(direct, days, batch)])


async def _due(direct: Direct, days: Mapping[str, int], batch: int) -> AsyncIterator[tuple[UUID, bool]]:
    async with direct.connection() as connection:
        unfinished = await aged.unfinished(connection, batch)
    for lead_id in unfinished:
        yield lead_id, True
    async for page in aged.walk(direct, days, batch):
        for lead_id in page:
            yield lead_id, False


async def _close(direct: Direct, key: IdentityKey, lead_id: UUID, days: Mapping[str, int]) -> bool:
    async with direct.transaction() as connection:
        who = await identify(connection, key, lead_id)
        return await aged.close(connection, who.keys, who.leads, days)


async def _clear(direct: Direct, key: IdentityKey, lead_id: UUID) -> int:
    async with direct.connection() as connection:
        now = await connection.fetchval("SELECT clock_timestamp()")
        who = await identify(connection, key, lead_id)
    await settle(direct, now)
    async with direct.transaction() as connection:
        done = erasing.counts(await erasing.clear(connection, who.leads, who.lookups))
        await aged.open_again(connection, who.keys, who.leads)
        entry = AuditEntry("person.erased", "aged", {"erased": done}, actor=aged.ACTOR)
        await trail.append_rows(connection, [trail.row(trail.Subject(one), entry) for one in who.leads])
    metrics.erasures.labels("aged").inc()
    return len(who.leads)
