"""Requests under an Idempotency-Key: what one has made is found by it, and only one at a time may make it."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Table, select, text

from revenueflow.db.session import Session
from revenueflow.errors import Conflict, IdempotencyMismatch

_HOLD = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))")


class Once(NamedTuple):
    """The id of a caller's key, and the SHA-256 of the body that came with it."""

    key: UUID
    sha256: bytes

    @property
    def columns(self) -> dict[str, Any]:
        """As the row that the request makes keeps them."""
        return {"request_key": self.key, "request_sha256": self.sha256}


NO_KEY: dict[str, Any] = {"request_key": None, "request_sha256": None}


async def made(session: Session, table: Table, once: Once | None) -> dict[str, Any] | None:
    """The row of `table` that this request made before; None if it is to be made now, in this transaction.

    Raises Conflict while another request with this key is in flight, IdempotencyMismatch if its body was another.
    """
    if once is None:
        return None
    if not (await session.execute(_HOLD, {"key": str(once.key)})).scalar():
        raise Conflict("a request with this Idempotency-Key is in flight; send it again in a moment")
    query = select(table).where(table.c.request_key == once.key)
    found = (await session.execute(query)).mappings().first()
    if found is None:
        return None
    if found["request_sha256"] != once.sha256:
        raise IdempotencyMismatch("this Idempotency-Key was used for another body; use a new key for a new request")
    return dict(found)
