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
from revenueflow.db.deliveries import KnownDelivery, NewDelivery
from revenueflow.db.session import Database, Session
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import Contended, InvalidInput, Unavailable
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
        if not arrivals:
            return []
        waiting = _Waiting([self._row(each, trace_id) for each in arrivals], asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._start()
        receipts = await asyncio.shield(waiting.answer)
        for arrival, receipt in zip(arrivals, receipts, strict=True):
            metrics.deliveries.labels(arrival.source, receipt.status).inc()
        return receipts

    def _start(self, ended: asyncio.Task[None] | None = None) -> None:
        # Also called when a task ends: should it ever break off, those that wait behind it are not forgotten.
        idle = self._committing is None or self._committing.done()
        if self._waiting and idle and not (ended and ended.cancelled()):
            self._committing = asyncio.create_task(self._commit_groups())
            self._committing.add_done_callback(self._start)

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
            except (DBAPIError, Contended):
                await self._commit_one_by_one(group)
            except Unavailable as error:
                _fail(group, error)
            finally:
                _fail(group, Unavailable("the ingress write broke off", retry_after=1))
            self._poke()

    def _take(self) -> list[_Waiting]:
        taken, size = 0, 0
        while taken < len(self._waiting) and (taken == 0 or size < LARGEST_GROUP):
            size += len(self._waiting[taken].rows)
            taken += 1
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return group

    async def _commit(self, group: list[_Waiting]) -> None:
        receipts = iter(await self._store([row for waiting in group for row in waiting.rows]))
        for waiting in group:
            answer = [next(receipts) for _ in waiting.rows]
            if not waiting.answer.done():
                waiting.answer.set_result(answer)

    async def _commit_one_by_one(self, group: list[_Waiting]) -> None:
        # One arrival that Postgres refuses, or whose lead is held by somebody, must not cost the others theirs.
        for waiting in group:
            try:
                answer = [await self._store_alone(row) for row in waiting.rows]
            except (Unavailable, InvalidInput) as error:
                _fail([waiting], error)
            else:
                if not waiting.answer.done():
                    waiting.answer.set_result(answer)

    async def _store_alone(self, row: NewDelivery) -> Receipt:
        try:
            return (await self._store([row]))[0]
        except DBAPIError:
            if row.source in REFUSE_CONFLICTS:
                raise InvalidInput("the database refused this lead") from None
        kept = row._replace(
            lead_id=None, identity_key=None, parsed=None, outcome="quarantined", reason="database_refused"
        )
        try:
            return (await self._store([kept]))[0]
        except DBAPIError:
            raise Unavailable("the database refuses this delivery", retry_after=60) from None

    async def _store(self, rows: Sequence[NewDelivery]) -> list[Receipt]:
        async with self._database.transaction() as session:
            return await store(session, rows)


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
    stored = await deliveries.known(session, [id_ for id_ in distinct if id_ not in fresh])
    known = {id_: KnownDelivery(row.body_sha256, row.lead_id) for id_, row in distinct.items()} | stored
    conflicting = await _store_conflicts(session, rows, known)
    receipts = _receipts(rows, fresh, known, conflicting)
    await jobs.want(session, _wanted(rows, receipts))
    await _audit(session, rows, receipts)
    return receipts


async def _store_conflicts(
    session: Session,
    rows: Sequence[NewDelivery],
    known: dict[UUID, KnownDelivery],
) -> dict[tuple[UUID, bytes], tuple[UUID, bool]]:
    """Keeps the same key with another body under key + hash; (id, hash) -> (the id it is kept under, whether new)."""
    others = {
        (row.id, row.body_sha256): _under_key_and_hash(row)
        for row in rows
        if _differs(row, known[row.id]) and row.source not in REFUSE_CONFLICTS
    }
    if not others:
        return {}
    new = await deliveries.insert(session, sorted(others.values(), key=lambda row: (row.source, row.delivery_key)))
    return {pair: (row.id, row.id in new) for pair, row in others.items()}


def _differs(row: NewDelivery, known: KnownDelivery) -> bool:
    # The same bytes are another delivery too if they went to quarantine and are understood now: sent with the right
    # content type, or after a change of the field names.
    return row.body_sha256 != known.body_sha256 or (known.lead_id is None and row.lead_id is not None)


def _under_key_and_hash(row: NewDelivery) -> NewDelivery:
    key = f"{row.delivery_key}#{row.body_sha256.hex()}"
    outcome = "conflict" if row.lead_id else "quarantined"
    return row._replace(id=delivery_id(row.source, key), delivery_key=key, outcome=outcome)


def _receipts(
    rows: Sequence[NewDelivery],
    fresh: set[UUID],
    known: dict[UUID, KnownDelivery],
    conflicting: dict[tuple[UUID, bytes], tuple[UUID, bool]],
) -> list[Receipt]:
    receipts: list[Receipt] = []
    answered: set[UUID] = set()
    for row in rows:
        differs = _differs(row, known[row.id])
        if differs and row.source in REFUSE_CONFLICTS:
            receipts.append(Receipt(row.id, row.lead_id, "mismatch", row.reason))
            continue
        id_, new = conflicting[row.id, row.body_sha256] if differs else (row.id, row.id in fresh)
        new = new and id_ not in answered
        answered.add(id_)
        lead = row.lead_id if new or differs else known[row.id].lead_id
        receipts.append(Receipt(id_, lead, _status(row, id_, new), row.reason))
    return receipts


def _status(row: NewDelivery, id_: UUID, new: bool) -> str:
    if not new:
        return "duplicate"
    if row.lead_id is None:
        return "quarantined"
    return "accepted" if id_ == row.id else "conflict"


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
