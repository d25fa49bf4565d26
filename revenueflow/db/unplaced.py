"""What is kept of arrivals that nobody could place: quarantined deliveries and rejected rows of imports, in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from revenueflow.db.direct import Direct

PAGE = 50
_NO_ID = UUID(int=0)
_QUARANTINED = """
    SELECT id, received_at, raw FROM deliveries
    WHERE outcome = 'quarantined' AND raw <> '' AND (received_at, id) > (coalesce($1, '-infinity'::timestamptz), $2)
    ORDER BY received_at, id LIMIT $3
"""
_REJECTS = """
    SELECT import_id, line, raw FROM import_rejects
    WHERE raw <> '' AND (import_id, line) > ($1, $2) ORDER BY import_id, line LIMIT $3
"""
_DROP = "DELETE FROM deliveries WHERE id = ANY($1::uuid[]) AND outcome = 'quarantined'"
_EMPTY = """
    UPDATE import_rejects SET raw = '' FROM unnest($1::uuid[], $2::int[]) AS one(import_id, line)
    WHERE import_rejects.import_id = one.import_id AND import_rejects.line = one.line
"""


class Quarantined(NamedTuple):
    """A delivery that was not understood."""

    id: UUID
    raw: bytes


class Rejected(NamedTuple):
    """A row of an import that was not taken."""

    import_id: UUID
    line: int
    raw: str


async def quarantined(direct: Direct) -> AsyncIterator[list[Quarantined]]:
    """All of them, oldest first, each page in a statement of its own."""
    after: tuple[Any, UUID] = (None, _NO_ID)
    while True:
        async with direct.connection() as connection:
            rows = await connection.fetch(_QUARANTINED, *after, PAGE)
        if not rows:
            return
        after = rows[-1]["received_at"], rows[-1]["id"]
        yield [Quarantined(row["id"], row["raw"]) for row in rows]


async def rejected(direct: Direct) -> AsyncIterator[list[Rejected]]:
    """All of them, each page in a statement of its own."""
    after = _NO_ID, 0
    while True:
        async with direct.connection() as connection:
            rows = await connection.fetch(_REJECTS, *after, PAGE)
        if not rows:
            return
        after = rows[-1]["import_id"], rows[-1]["line"]
        yield [Rejected(**row) for row in rows]


async def drop(direct: Direct, ids: Sequence[UUID]) -> None:
    """Deletes quarantined deliveries."""
    async with direct.connection() as connection:
        await connection.execute(_DROP, ids)


async def empty(direct: Direct, found: Sequence[Rejected]) -> None:
    """Takes the content out of rejected rows; that there were such rows stays."""
    async with direct.connection() as connection:
        await connection.execute(_EMPTY, [one.import_id for one in found], [one.line for one in found])
