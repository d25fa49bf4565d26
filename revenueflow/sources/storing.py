"""Storing deliveries and the jobs that they call for, in one commit for many, with the exact answer to each.

A delivery that is new and understood, the usual one, costs a share of one statement. Whatever is not (a known key,
another body under it, quarantine) is looked at in a transaction of its own kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from revenueflow.audit import trail
from revenueflow.db import deliveries, erasing, jobs
from revenueflow.db.deliveries import KnownDelivery, NewDelivery
from revenueflow.db.direct import Connection, Direct
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import Contended, InvalidInput, Refused, RevenueFlowError
from revenueflow.privacy.identity import IdentityKey, delivery_id
from revenueflow.privacy.searching import addresses
from revenueflow.resilience.crash import crash_point

# A client of our API is told that its key was used for another body; a webhook's sender would not understand. What was
# promised to it already, from the spool, is kept all the same.
REFUSE_CONFLICTS = frozenset({"api"})


@dataclass(frozen=True, slots=True)
class Receipt:
    """The exact answer to one arrival: accepted, duplicate, conflict, quarantined or spooled, on disk when it is given.

    `dropped`, for the drainer only: its person was erased after it arrived. `mismatch`, for our API only: the key was
    used for another body, and nothing was stored.
    """

    delivery_id: UUID
    lead_id: UUID | None
    status: str
    reason: str | None = None

    @property
    def duplicate(self) -> bool | None:
        """True if this very delivery was stored before; None if that is not known yet."""
        return None if self.status == "spooled" else self.status == "duplicate"


Answer: TypeAlias = Receipt | RevenueFlowError


async def store(direct: Direct, rows: Sequence[NewDelivery]) -> list[Answer]:
    """Stores the rows and answers in their order, after the commit; an error stands for a row that is not stored.

    One row that Postgres refuses, or whose lead is held by somebody, does not cost the others theirs. A row from a
    webhook that it refuses is kept in quarantine. Raises Unavailable if Postgres does not answer: the outcome is
    unknown then, and the same rows may be stored again.
    """
    try:
        return list(await _store_together(direct, rows))
    except (Refused, Contended):
        return [await _store_alone(direct, row) for row in rows]


async def store_spooled(direct: Direct, key: IdentityKey, rows: Sequence[NewDelivery]) -> list[Answer]:
    """As `store`, for what waited in the spool: of somebody who was erased meanwhile it is dropped, and told as such.

    What nobody understood is dropped if it holds the address of such a person. Raises Unavailable as `store` does.
    """
    keys = [_keys(row, key) for row in rows]
    async with direct.connection() as connection:
        erased = await erasing.erased_at(connection, sorted({one for each in keys for one in each}))
    dropped = [_was_erased(row, each, erased) for row, each in zip(rows, keys, strict=True)]
    answers = iter(await store(direct, [row for row, gone in zip(rows, dropped, strict=True) if not gone]))
    return [
        Receipt(row.id, row.lead_id, "dropped") if gone else next(answers)
        for row, gone in zip(rows, dropped, strict=True)
    ]


def _keys(row: NewDelivery, key: IdentityKey) -> list[str]:
    if row.identity_key:
        return [row.identity_key]
    return [key.derive("email", email) for email in addresses(row.raw)]


def _was_erased(row: NewDelivery, keys: Sequence[str], erased: Mapping[str, datetime]) -> bool:
    return row.received_at is not None and any(row.received_at <= erased[key] for key in keys if key in erased)


async def _store_alone(direct: Direct, row: NewDelivery) -> Answer:
    try:
        return (await _store_together(direct, [row]))[0]
    except Contended as error:
        return error
    except Refused:
        if _may_refuse(row):
            return InvalidInput("the database refused this lead")
    kept = row._replace(lead_id=None, identity_key=None, parsed=None, outcome="quarantined", reason="database_refused")
    try:
        return (await _store_together(direct, [kept]))[0]
    except Contended as error:
        return error
    except Refused:
        return Refused("Postgres takes this delivery in no form")


async def _store_together(direct: Direct, rows: Sequence[NewDelivery]) -> list[Receipt]:
    distinct = {row.id: row for row in reversed(rows)}
    usual = [row for row in distinct.values() if row.lead_id]
    crash_point("ingress.before_commit")
    async with direct.connection() as connection:
        fresh = await deliveries.accept(connection, sorted(usual, key=_by_key)) if usual else set()
    crash_point("ingress.after_commit")
    if len(fresh) == len(rows):
        return [Receipt(row.id, row.lead_id, "accepted") for row in rows]
    async with direct.transaction() as connection:
        return await _look_closer(connection, rows, distinct, fresh)


async def _look_closer(
    connection: Connection, rows: Sequence[NewDelivery], distinct: dict[UUID, NewDelivery], fresh: set[UUID]
) -> list[Receipt]:
    unusual = sorted((row for row in distinct.values() if not row.lead_id), key=_by_key)
    fresh = fresh | await deliveries.insert(connection, unusual)
    stored = await deliveries.known(connection, [id_ for id_ in distinct if id_ not in fresh])
    known = {id_: KnownDelivery(row.body_sha256, row.lead_id) for id_, row in distinct.items()} | stored
    conflicting = await _store_conflicts(connection, rows, known)
    receipts = _receipts(rows, fresh, known, conflicting)
    await jobs.want(connection, _wanted(rows, receipts))
    await _audit(connection, rows, receipts)
    return receipts


async def _store_conflicts(
    connection: Connection,
    rows: Sequence[NewDelivery],
    known: dict[UUID, KnownDelivery],
) -> dict[tuple[UUID, bytes], tuple[UUID, bool]]:
    """Keeps the same key with another body under key + hash; (id, hash) -> (the id it is kept under, whether new)."""
    others = {
        (row.id, row.body_sha256): _under_key_and_hash(row)
        for row in rows
        if _differs(row, known[row.id]) and not _may_refuse(row)
    }
    if not others:
        return {}
    new = await deliveries.insert(connection, sorted(others.values(), key=_by_key))
    return {pair: (row.id, row.id in new) for pair, row in others.items()}


def _by_key(row: NewDelivery) -> tuple[str, str]:
    # Rows are written in the order of their keys, so that two groups never wait for each other in a circle.
    return row.source, row.delivery_key


def _may_refuse(row: NewDelivery) -> bool:
    return row.source in REFUSE_CONFLICTS and row.outcome != "spooled"


def _differs(row: NewDelivery, known: KnownDelivery) -> bool:
    # The same bytes are another delivery too if they went to quarantine and are understood now: sent with the right
    # content type, or after a change of the field names. Of one whose person was erased nothing is left to compare.
    if not known.body_sha256:
        return False
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
        if differs and _may_refuse(row):
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
    # The new and understood ones have their jobs already.
    pairs = zip(rows, receipts, strict=True)
    return {row.lead_id: row.trace_id for row, r in pairs if row.lead_id and r.status == "conflict"}


async def _audit(connection: Connection, rows: Sequence[NewDelivery], receipts: Sequence[Receipt]) -> None:
    # Accepted deliveries are audited by capture: the row itself is their record until then.
    events: list[dict[str, Any]] = [
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
    await trail.append_rows(connection, events)
