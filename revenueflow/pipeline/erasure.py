"""Erasing a person, at any moment of whatever is being done about it.

close   one commit: the identity is noted as erased, its leads are, its live runs end, and their tokens are others.
        From then on nothing about them is written that checks a token, or the lead, in its own statement.
settle  waits for transactions that are older than that commit: what they write is there before it is cleared.
clear   one commit: all that the data map names of the person, and the audit event.

Killed anywhere in between, or asked for again, it does what is left.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from revenueflow.audit import trail
from revenueflow.db import erasing, jobs, unplaced
from revenueflow.db.direct import Direct
from revenueflow.db.erasing import Copy
from revenueflow.db.session import Database
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import Unavailable
from revenueflow.pipeline.persons import Identity, identify, unplaced_of
from revenueflow.privacy.identity import IdentityKey
from revenueflow.privacy.redaction import redact
from revenueflow.telemetry import metrics

PATIENCE = 30.0
"""Seconds that older transactions have: more than any statement of ours may take."""
PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: rows by table. `unchanged`: there was nothing left to erase.

    `copies` are records outside (CRM, messages) that were, or may have been, written: they are not deleted.
    """

    lead_id: UUID
    leads: tuple[UUID, ...]
    erased_at: datetime
    unchanged: bool
    runs_ended: int
    erased: Mapping[str, int]
    copies: tuple[Copy, ...]


async def erase(
    direct: Direct, key: IdentityKey, lead_id: UUID, *, reason: str, actor: str, trace_id: str | None = None
) -> Erased:
    """Erases the person of a lead in every campaign. Raises NotFound; Unavailable: ask again, it does what is left."""
    async with direct.connection() as connection:
        who = await identify(connection, key, lead_id)
    keys = (*who.keys, *map(erasing.lookup_key, who.lookups))
    async with direct.transaction() as connection:
        ended, since = await erasing.close(connection, keys, who.leads, reason=redact(reason, who.known), actor=actor)
    await settle(direct, since)
    found = await _clear_unplaced(direct, who)
    async with direct.transaction() as connection:
        done = erasing.counts(await erasing.clear(connection, who.leads, who.lookups) | found)
        outcome = "done" if done or ended else "unchanged"
        entry = AuditEntry("person.erased", outcome, {"erased": done, "runs_ended": ended}, actor=actor)
        events = [trail.row(trail.Subject(one, None, trace_id), entry) for one in who.leads]
        await trail.append_rows(connection, events)
        copies = await erasing.copies(connection, who.leads)
    metrics.erasures.labels(outcome).inc()
    return Erased(lead_id, who.leads, since, outcome == "unchanged", ended, done, tuple(copies))


async def settle(direct: Direct, since: datetime) -> None:
    """Returns once every transaction has ended that began before `since`. Raises Unavailable."""
    deadline = time.monotonic() + PATIENCE
    while True:
        async with direct.connection() as connection:
            if await erasing.is_settled(connection, since):
                return
        if time.monotonic() > deadline:
            raise Unavailable("older transactions go on for too long; erase again to do what is left", retry_after=10)
        await asyncio.sleep(PAUSE)


async def _clear_unplaced(direct: Direct, who: Identity) -> dict[str, int]:
    """While the leads still say whom to look for."""
    quarantined = rejected = 0
    async for page in unplaced_of(direct, who.person):
        await unplaced.drop(direct, [one.id for one in page.quarantined])
        await unplaced.empty(direct, page.rejected)
        quarantined += len(page.quarantined)
        rejected += len(page.rejected)
    return {"quarantine": quarantined, "import_rejects": rejected}


async def reopen(direct: Direct, database: Database, key: IdentityKey, lead_id: UUID, *, actor: str) -> list[UUID]:
    """What a person sent after it was erased may be processed; returns the runs that go on.

    What was received before stays dropped. Raises NotFound.
    """
    async with direct.transaction() as connection:
        who = await identify(connection, key, lead_id)
        keys = (*who.keys, *map(erasing.lookup_key, who.lookups))
        waiting = await erasing.reopen(connection, keys)
        entry = AuditEntry("person.reopened", "done", {"runs": len(waiting)}, actor=actor)
        await trail.append_rows(connection, [trail.row(trail.Subject(one), entry) for one in who.leads])
    async with database.transaction() as session:
        return [job["id"] for job in await jobs.reopen(session, waiting)]
