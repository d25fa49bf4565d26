"""Requests under an Idempotency-Key: what one has made is found by it, and only one at a time may make it."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Table, select, text
from sqlalchemy.exc import DBAPIError

from revenueflow.db.session import Session, translated
from revenueflow.errors import Contended, IdempotencyMismatch, InFlight

_PATIENCE = text("SET LOCAL lock_timeout = '1s'")
"""What is made under a key takes milliseconds: whoever sends it twice at once gets the same answer twice."""
_TRY = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))")
_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_AS_BEFORE = text("SET LOCAL lock_timeout TO DEFAULT")


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

    Waits a second for another request with this key, then raises InFlight. Raises IdempotencyMismatch if the body of
    the one before was another.
    """
    if once is None:
        return None
    await _hold(session, once)
    query = select(table).where(table.c.request_key == once.key)
    found = (await session.execute(query)).mappings().first()
    if found is None:
        return None
    if found["request_sha256"] != once.sha256:
        raise IdempotencyMismatch("this Idempotency-Key was used for another body; use a new key for a new request")
    return dict(found)


async def _hold(session: Session, once: Once) -> None:
    key = {"key": str(once.key)}
    if (await session.execute(_TRY, key)).scalar():
        return
    await session.execute(_PATIENCE)
    try:
        await session.execute(_HOLD, key)
    except DBAPIError as error:
        if not isinstance(translated(error), Contended):
            raise
        said = "a request with this Idempotency-Key is in flight; send it again in a moment"
        raise InFlight(said, retry_after=1) from None
    await session.execute(_AS_BEFORE)
