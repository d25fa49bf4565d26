"""The one write that makes an arrival durable: delivery and job in one commit, shared by the requests in flight.

Nothing waits: while one commit is under way, whatever arrives is the next group. Redis has no part in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from revenueflow.audit import trail
from revenueflow.db import deliveries, jobs
from revenueflow.db.deliveries import NewDelivery
from revenueflow.db.session import Database, Session
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import InvalidInput, Unavailable
from revenueflow.privacy.identity import IdentityKey, delivery_id
from revenueflow.sources.arrival import Arrival, identify
from revenueflow.telemetry import metrics

LARGEST_GROUP = 500
# A client of our API is told that its key was used for another body; a webhook's sender would not understand.
REFUSE_CONFLICTS = frozenset({"api"})


@dataclass(frozen=True, slots=True)
class Receipt:
    """The exact answer to one arrival: accepted, duplicate, conflict or quarantined, on disk when it is given.

    `mismatch`, for our API only: the key was used for another body, and nothing was stored.
    """

    delivery_id: UUID
    lead_id: UUID | None
    status: str
    reason: str | None = None

    @property
    def duplicate(self) -> bool:
        """True if this very delivery was stored before."""
        return self.status == "duplicate"


@dataclass(slots=True)
class _Waiting:
    rows: list[NewDelivery]
    answer: asyncio.Future[list[Receipt]]


class Ingress:
    """Stores arrivals. One per process; `poke` is called after each commit and must not block."""

    def __init__(self, database: Database, key: IdentityKey, poke: Callable[[], None] = lambda: None) -> None:
        self._database = database
        self._key = key
        self._poke = poke
        self._waiting: list[_Waiting] = []
        self._committing: asyncio.Task[None] | None = None

    async def accept(self, arrivals: Sequence[Arrival], trace_id: str) -> list[Receipt]:
        """Stores the arrivals and answers in their order, after the commit.

        Raises Unavailable if Postgres does not answer: nothing was promised, the sender tries again with the
        same key.
        """
        waiting = _Waiting([self._row(each, trace_id) for each in arrivals], asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_groups())
        receipts = await asyncio.shield(waiting.answer)
        for arrival, receipt in zip(arrivals, receipts, strict=True):
            metrics.deliveries.labels(arrival.source, receipt.status).inc()
        return receipts

    def _row(self, arrival: Arrival, trace_id: str) -> NewDelivery:
        known = identify(arrival, self._key)
        parsed = arrival.understood.model_dump(exclude_none=True) if known.lead_id and arrival.understood else None
        return NewDelivery(
            known.delivery_id, arrival.source, arrival.delivery_key, arrival.raw, arrival.digest(),
            arrival.content_type[:200], parsed, known.lead_id, known.identity_key,
            "accepted" if known.lead_id else "quarantined", known.reason, trace_id,
        )  # fmt: skip

    async def _commit_groups(self) -> None:
        while self._waiting:
            group = self._take()
            try:
                await self._commit(group)
                self._poke()
            except DBAPIError:
                await self._commit_one_by_one(group)
            except Unavailable as error:
                _fail(group, error)
            finally:
                _fail(group, Unavailable("the ingress write broke off", retry_after=1))

    def _take(self) -> list[_Waiting]:
        taken, size = 0, 0
        while taken < len(self._waiting) and (taken == 0 or size < LARGEST_GROUP):
            size += len(self._waiting[taken].rows)
            taken += 1
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return group

    async def _commit(self, group: list[_Waiting]) -> None:
        rows = [row for waiting in group for row in waiting.rows]
        async with self._database.transaction() as session:
            receipts = iter(await store(session, rows))
        for waiting in group:
            answer = [next(receipts) for _ in waiting.rows]
            if not waiting.answer.done():
                waiting.answer.set_result(answer)

    async def _commit_one_by_one(self, group: list[_Waiting]) -> None:
        # One arrival that Postgres refuses must not cost the others of its group theirs.
        for waiting in group:
            try:
                await self._commit([waiting])
            except DBAPIError:
                _fail([waiting], InvalidInput("the database refused this delivery"))
            except Unavailable as error:
                _fail([waiting], error)


def _fail(group: list[_Waiting], error: Exception) -> None:
    for waiting in group:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)


async def store(session: Session, rows: Sequence[NewDelivery]) -> list[Receipt]:
    """Stores rows and the jobs they call for in the caller's transaction; answers in their order.

    Rows are written in the order of their keys, so that two groups never wait for each other in a circle.
    """
    distinct = {row.id: row for row in reversed(rows)}
    fresh = await deliveries.insert(session, sorted(distinct.values(), key=lambda row: (row.source, row.delivery_key)))
    known = await deliveries.hashes(session, [id_ for id_ in distinct if id_ not in fresh])
    conflicting = await _store_conflicts(session, rows, distinct, known)
    receipts = _receipts(rows, distinct, fresh, known, conflicting)
    await jobs.want(session, _wanted(rows, receipts))
    await _audit(session, rows, receipts)
    return receipts


async def _store_conflicts(
    session: Session,
    rows: Sequence[NewDelivery],
    distinct: dict[UUID, NewDelivery],
    known: dict[UUID, bytes],
) -> dict[tuple[UUID, bytes], tuple[UUID, bool]]:
    """Keeps the same key with another body under key + hash; (id, hash) -> (the id it is kept under, whether new)."""
    others = {
        (row.id, row.body_sha256): _under_key_and_hash(row)
        for row in rows
        if _differs(row, distinct, known) and row.source not in REFUSE_CONFLICTS
    }
    if not others:
        return {}
    new = await deliveries.insert(session, sorted(others.values(), key=lambda row: (row.source, row.delivery_key)))
    return {pair: (row.id, row.id in new) for pair, row in others.items()}


def _differs(row: NewDelivery, distinct: dict[UUID, NewDelivery], known: dict[UUID, bytes]) -> bool:
    return row.body_sha256 != known.get(row.id, distinct[row.id].body_sha256)


def _under_key_and_hash(row: NewDelivery) -> NewDelivery:
    key = f"{row.delivery_key}#{row.body_sha256.hex()}"
    outcome = "conflict" if row.lead_id else "quarantined"
    return row._replace(id=delivery_id(row.source, key), delivery_key=key, outcome=outcome)


def _receipts(
    rows: Sequence[NewDelivery],
    distinct: dict[UUID, NewDelivery],
    fresh: set[UUID],
    known: dict[UUID, bytes],
    conflicting: dict[tuple[UUID, bytes], tuple[UUID, bool]],
) -> list[Receipt]:
    receipts: list[Receipt] = []
    answered: set[UUID] = set()
    for row in rows:
        id_, new = conflicting.get((row.id, row.body_sha256), (row.id, row.id in fresh))
        if _differs(row, distinct, known) and row.source in REFUSE_CONFLICTS:
            status = "mismatch"
        elif not new or id_ in answered:
            status = "duplicate"
        elif row.lead_id is None:
            status = "quarantined"
        else:
            status = "accepted" if id_ == row.id else "conflict"
        answered.add(id_)
        receipts.append(Receipt(id_, row.lead_id, status, row.reason))
    return receipts


def _wanted(rows: Sequence[NewDelivery], receipts: Sequence[Receipt]) -> dict[UUID, str]:
    pairs = zip(rows, receipts, strict=True)
    return {row.lead_id: row.trace_id for row, r in pairs if row.lead_id and r.status in ("accepted", "conflict")}


async def _audit(session: Session, rows: Sequence[NewDelivery], receipts: Sequence[Receipt]) -> None:
    # Accepted deliveries are audited by capture: the row itself is their record until then.
    events = [
        trail.row(
            trail.Subject(receipt.lead_id, None, row.trace_id),
            AuditEntry(
                "delivery.received",
                receipt.status,
                {"delivery_id": str(receipt.delivery_id), "source": row.source, "reason": receipt.reason},
                actor="ingress",
            ),
        )
        for row, receipt in zip(rows, receipts, strict=True)
        if receipt.status in ("quarantined", "conflict")
    ]
    await trail.append_rows(session, events)
