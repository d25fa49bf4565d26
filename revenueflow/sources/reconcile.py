"""Reconciliation: what a sender knows and we have no delivery of is a gap; it is closed once it is stored.

A puller reads its vendor and says what is missing; here it is stored through the same door as every delivery, counted
and audited, and the cursor is moved on only after that. Whatever breaks off in between is read again, under the same
delivery keys.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from revenueflow.audit import trail
from revenueflow.db import source_cursors
from revenueflow.db.direct import Connection, Direct
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import UpstreamError
from revenueflow.privacy.identity import delivery_id
from revenueflow.sources.arrival import Arrival
from revenueflow.sources.ingress import Ingress
from revenueflow.telemetry import metrics

STORED = frozenset({"accepted", "conflict", "spooled"})
AGAIN_SECONDS = 60.0
"""After a pull that failed, if the vendor did not say when to come back."""


class Batch(NamedTuple):
    """What a puller has read: `seen` records, of which `missing` were never delivered; and where it stands then."""

    seen: int
    missing: Sequence[Arrival]
    cursor: Mapping[str, Any]


class Puller(Protocol):
    """Reads one source. It only reads: what it finds is stored by `reconcile`."""

    @property
    def source(self) -> str:
        """The source whose deliveries it makes."""

    def batches(self, cursor: Mapping[str, Any], since: datetime | None) -> AsyncIterator[Batch]:
        """From the cursor on, or from `since`, to the end. Raises UpstreamError."""

    async def aclose(self) -> None:
        """Closes the connections."""


@dataclass(slots=True)
class Pulled:
    """What a pull came to. `found` gaps, of which `closed` are stored now."""

    seen: int = 0
    found: int = 0
    closed: int = 0


async def reconcile(
    puller: Puller,
    direct: Direct,
    ingress: Ingress,
    trace_id: str,
    *,
    since: datetime | None = None,
    every: float | None = None,
) -> Pulled | None:
    """One pull; None if another process is at it, or, with `every` (seconds), if it is not due yet.

    Raises UpstreamError, after the source was put off, and Unavailable. What was stored until then stays.
    """
    async with direct.connection() as connection:
        if not await source_cursors.lock(connection, puller.source):
            return None
        try:
            if every is not None and not await source_cursors.due(connection, puller.source, every):
                return None
            return await _Pull(puller, connection, direct, ingress, trace_id).run(since)
        finally:
            await source_cursors.unlock(connection, puller.source)


@dataclass(slots=True)
class _Pull:
    puller: Puller
    connection: Connection
    direct: Direct
    ingress: Ingress
    trace_id: str

    async def run(self, since: datetime | None) -> Pulled:
        pulled, source = Pulled(), self.puller.source
        cursor: Mapping[str, Any] = await source_cursors.read(self.connection, source)
        try:
            async for batch in self.puller.batches(cursor, since):
                cursor = batch.cursor
                pulled.seen += batch.seen
                await self._store(batch.missing, pulled)
                await source_cursors.save(self.connection, source, cursor, ended=False)
        except UpstreamError as error:
            pause = AGAIN_SECONDS if error.retry_after is None else error.retry_after
            await source_cursors.put_off(self.connection, source, pause)
            raise
        await source_cursors.save(self.connection, source, cursor, ended=True)
        return pulled

    async def _store(self, missing: Sequence[Arrival], pulled: Pulled) -> None:
        if not missing:
            return
        await self._tell("found", [(None, delivery_id(one.source, one.delivery_key)) for one in missing])
        receipts = await self.ingress.accept(missing, self.trace_id)
        closed = [(receipt.lead_id, receipt.delivery_id) for receipt in receipts if receipt.status in STORED]
        await self._tell("closed", closed)
        pulled.found += len(missing)
        pulled.closed += len(closed)

    async def _tell(self, state: str, about: Sequence[tuple[UUID | None, UUID]]) -> None:
        """Counts and audits gaps: (lead, once it is known, and delivery) of each; nothing personal."""
        source = self.puller.source
        events = [
            trail.row(
                trail.Subject(lead, None, self.trace_id),
                AuditEntry(
                    f"source.gap_{state}", "done", {"source": source, "delivery_id": str(delivery)}, actor="reconciler"
                ),
            )
            for lead, delivery in about
        ]
        async with self.direct.transaction() as connection:
            await trail.append_rows(connection, events)
        metrics.reconcile_gaps.labels(source, state).inc(len(events))
