"""Queries on CSV imports: how far each has come, and the rows that it could not take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from revenueflow.db.rows import encoded
from revenueflow.db.session import Session

ABANDONED_MINUTES = 60
"""An import that was not heard of for so long has lost its process."""
PAGE_CHARACTERS = 1_000_000
"""Of raw rows that a page of rejects holds: with one row more at the most."""


class Counts(TypedDict):
    """Rows of an import so far: `rows` is the sum of the others."""

    rows: int
    accepted: int
    duplicates: int
    quarantined: int
    rejected: int


_BEGIN = text("""
    INSERT INTO imports (id, mapping, created_by) VALUES (:id, :mapping, :created_by) ON CONFLICT (id) DO NOTHING
""").bindparams(bindparam("mapping", type_=JSONB))
_ADVANCE = text("""
    UPDATE imports SET rows = :rows, accepted = :accepted, duplicates = :duplicates, quarantined = :quarantined,
        rejected = :rejected, columns = :columns, delimiter = :delimiter, updated_at = now()
    WHERE id = :id
""").bindparams(bindparam("columns", type_=JSONB))
_KEEP_REJECTS = text("""
    INSERT INTO import_rejects (import_id, line, reason, raw)
    SELECT :id, line, reason, raw
    FROM jsonb_to_recordset(CAST(:rejects AS jsonb)) AS new(line int, reason text, raw text)
    ON CONFLICT (import_id, line) DO NOTHING
""")
_FINISH = text("""
    UPDATE imports SET state = :state, error = :error, updated_at = now(), finished_at = now()
    WHERE id = :id AND state = 'running'
""")
_GET = text("""
    SELECT *, state = 'running' AND updated_at < now() - make_interval(mins => :minutes) AS abandoned
    FROM imports WHERE id = :id
""")
# A page ends where its rows become long: some are of megabytes.
_REJECTS = text("""
    SELECT line, reason, raw FROM (
        SELECT line, reason, raw, sum(length(raw)) OVER (ORDER BY line) - length(raw) AS before FROM (
            SELECT line, reason, raw FROM import_rejects
            WHERE import_id = :id AND line > :after ORDER BY line LIMIT :limit
        ) AS page
    ) AS measured WHERE before < :characters ORDER BY line
""")


async def begin(session: Session, id_: UUID, *, mapping: Mapping[str, Any], created_by: UUID | None) -> None:
    """A new import; `created_by` is the id of an API key, None on the command line."""
    await session.execute(_BEGIN, {"id": id_, "mapping": dict(mapping), "created_by": created_by})


async def advance(
    session: Session,
    id_: UUID,
    counts: Counts,
    rejects: Sequence[Mapping[str, object]],
    *,
    columns: Sequence[str],
    delimiter: str,
) -> None:
    """How far it has come, and new rejects `{line, reason, raw}`. The same call again changes nothing."""
    await session.execute(_ADVANCE, {"id": id_, **counts, "columns": list(columns), "delimiter": delimiter})
    if rejects:
        await session.execute(_KEEP_REJECTS, {"id": id_, "rejects": encoded(rejects)})


async def finish(session: Session, id_: UUID, *, error: str | None = None) -> None:
    """It is over: done, or failed with the code of an error."""
    await session.execute(_FINISH, {"id": id_, "state": "failed" if error else "done", "error": error})


async def get(session: Session, id_: UUID) -> dict[str, Any] | None:
    """An import; one whose process is gone is failed."""
    found = (await session.execute(_GET, {"id": id_, "minutes": ABANDONED_MINUTES})).mappings().first()
    if found is None:
        return None
    row = dict(found)
    return row | ({"state": "failed", "error": "abandoned"} if row.pop("abandoned") else {})


async def rejects(session: Session, id_: UUID, *, after: int = 0, limit: int = 500) -> list[dict[str, Any]]:
    """Rejected rows with a line over `after`: `{line, reason, raw}`, up to `limit` and about PAGE_CHARACTERS."""
    values = {"id": id_, "after": after, "limit": limit, "characters": PAGE_CHARACTERS}
    return [dict(row) for row in (await session.execute(_REJECTS, values)).mappings()]
