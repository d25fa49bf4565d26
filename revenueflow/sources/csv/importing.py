"""An import: rows and rejects, chunk by chunk, until the last one is on disk. A preview stores nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias
from uuid import UUID

import uuid_utils.compat

from revenueflow.db import imports
from revenueflow.db.imports import Counts
from revenueflow.db.session import Database, Session
from revenueflow.errors import RevenueFlowError, Unavailable
from revenueflow.sources.csv.columns import Choice
from revenueflow.sources.csv.reader import Item, Reader, Row
from revenueflow.sources.csv.rejects import Reject
from revenueflow.sources.ingress import Ingress
from revenueflow.sources.storing import Receipt

CHUNK = 500
CHUNK_BYTES = 4 * 2**20
"""A chunk ends early when its rows are long."""
PIECE = 4 * 1024
"""Bytes that are parsed before others get their turn."""
PATIENCE = 10
"""Seconds for which progress waits for Postgres."""
FIRST_ROWS = 5


Watch: TypeAlias = Callable[[Counts, list[Reject]], None]
"""Told after each chunk: the counts so far, and the rejects of the chunk."""


class Sink(Protocol):
    """Where chunks go."""

    async def take(self, rows: list[Row], rejects: list[Reject]) -> None:
        """Returns when they are durable."""


async def run(pieces: AsyncIterator[bytes], reader: Reader, sink: Sink) -> None:
    """Reads a file to its end, and gives it to the sink in chunks. No more than one of them is held.

    Raises InvalidInput for a file without a header that we know; whatever reading or the sink raises goes through.
    """
    chunk = _Chunk(sink)
    async for piece in pieces:
        for at in range(0, len(piece), PIECE):
            await chunk.add(reader.feed(piece[at : at + PIECE]))
            await asyncio.sleep(0)
    await chunk.add(reader.close())
    await chunk.flush(last=True)


class _Chunk:
    """Items until there are enough of them."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._items: list[Item] = []
        self._size = 0

    async def add(self, items: Iterable[Item]) -> None:
        for item in items:
            self._items.append(item)
            self._size += len(item.raw if isinstance(item, Reject) else item.arrival.raw)
            if len(self._items) == CHUNK or self._size > CHUNK_BYTES:
                await self.flush()

    async def flush(self, *, last: bool = False) -> None:
        items, self._items, self._size = self._items, [], 0
        if items or last:
            rows = [item for item in items if isinstance(item, Row)]
            await self._sink.take(rows, [item for item in items if isinstance(item, Reject)])


def no_counts() -> Counts:
    """Nothing yet."""
    return Counts(rows=0, accepted=0, duplicates=0, quarantined=0, rejected=0)


def count(counts: Counts, receipts: Sequence[Receipt], rejects: Sequence[Reject]) -> None:
    """Adds what became of a chunk."""
    became = Counter(receipt.status for receipt in receipts)
    counts["rows"] += len(receipts) + len(rejects)
    counts["duplicates"] += became["duplicate"]
    counts["quarantined"] += became["quarantined"]
    counts["accepted"] += became["accepted"] + became["conflict"] + became["spooled"]
    counts["rejected"] += len(rejects)


class Import:
    """An import that is stored: rows through the ingress, then progress and rejects, for each chunk.

    The rows of a chunk are durable before its progress is. An import that broke off is continued by giving the same
    file to another one.
    """

    def __init__(
        self,
        database: Database,
        ingress: Ingress,
        trace_id: str,
        choice: Choice,
        *,
        created_by: UUID | None = None,
        watch: Watch = lambda _counts, _rejects: None,
    ) -> None:
        self.id: UUID = uuid_utils.compat.uuid7()
        self.counts = no_counts()
        self._database = database
        self._ingress = ingress
        self._trace_id = trace_id
        self._choice = choice
        self._created_by = created_by
        self._watch = watch
        self._reader: Reader | None = None

    async def run(self, pieces: AsyncIterator[bytes], reader: Reader) -> None:
        """All of a file, once. Raises Unavailable if a row, a reject or the progress could not be kept: do it again."""
        self._reader, mapping = reader, self._choice.noted()
        async with self._database.transaction() as session:
            await imports.begin(session, self.id, mapping=mapping, created_by=self._created_by)
        error: str | None = "interrupted"
        try:
            await run(pieces, reader, self)
            error = None
        except RevenueFlowError as raised:
            error = raised.code
            raise
        finally:
            await self._finish(error)

    async def take(self, rows: list[Row], rejects: list[Reject]) -> None:
        """Stores a chunk."""
        receipts = await self._ingress.accept([row.arrival for row in rows], self._trace_id)
        count(self.counts, receipts, rejects)
        kept = [{"line": one.line, "reason": one.reason, "raw": one.raw.replace("\0", "")} for one in rejects]
        names = self._reader.columns.names if self._reader and self._reader.columns else []
        delimiter = self._reader.delimiter if self._reader else ","
        await _patiently(
            self._database,
            lambda s: imports.advance(s, self.id, self.counts, kept, columns=names, delimiter=delimiter),
        )
        self._watch(self.counts, rejects)

    async def _finish(self, error: str | None) -> None:
        if error is None:
            await _patiently(self._database, lambda s: imports.finish(s, self.id))
            return
        try:
            async with self._database.transaction() as session:
                await imports.finish(session, self.id, error=error)
        except Unavailable:
            pass  # it shows as abandoned later; the error that ended it matters more


@dataclass(slots=True)
class Preview:
    """What an import would do: nothing is stored, so duplicates are not known."""

    first: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    counts: Counts = field(default_factory=no_counts)
    watch: Watch = lambda _counts, _rejects: None
    most_rejects: int = 100

    async def take(self, rows: list[Row], rejects: list[Reject]) -> None:
        """Looks at a chunk."""
        self.counts["rows"] += len(rows) + len(rejects)
        self.counts["accepted"] += len(rows)
        self.counts["rejected"] += len(rejects)
        self.rejects += rejects[: self.most_rejects - len(self.rejects)]
        self.first += [_understood(row) for row in rows[: FIRST_ROWS - len(self.first)]]
        self.watch(self.counts, rejects)

    def told(self, reader: Reader) -> dict[str, Any]:
        """For the operator: the columns, the first rows as understood, counts, and the first rejects."""
        plan = reader.columns.plan() if reader.columns else []
        return {
            "dry_run": True,
            "columns": plan,
            "unmapped": [one["column"] for one in plan if one["field"] is None],
            "first": self.first,
            "rows": self.counts["rows"],
            "acceptable": self.counts["accepted"],
            "rejected": self.counts["rejected"],
            "rejects": [{"line": one.line, "reason": one.reason, "detail": one.detail} for one in self.rejects],
        }


def _understood(row: Row) -> dict[str, Any]:
    known = row.arrival.understood
    if known is None:
        return {"line": row.line}
    return {"line": row.line, "campaign_id": known.campaign_id} | known.form.model_dump(exclude_none=True)


async def _patiently(database: Database, write: Callable[[Session], Awaitable[None]]) -> None:
    """One transaction, tried again while Postgres is away: what is written may be written twice."""
    for attempt in range(PATIENCE + 1):
        try:
            async with database.transaction() as session:
                await write(session)
            return
        except Unavailable:
            if attempt == PATIENCE:
                raise
            await asyncio.sleep(1)
