"""Several records in one call of a vendor: what holds for each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from revenueflow.errors import UpstreamError


class Row(NamedTuple):
    """A record to write: our key, and the vendor's fields."""

    key: str
    fields: dict[str, Any]


class Written(NamedTuple):
    """The record's id at the vendor, or the code of the error that says it was not written."""

    id: str | None
    code: str = ""


Call = Callable[[Sequence[Row]], Awaitable[Sequence[Written | Exception]]]


async def in_turns(rows: Sequence[Row], call: Call) -> list[Written | Exception]:
    """What became of each row. A key is in a call once: what comes for it again goes with the next one, in order."""
    written: dict[int, Written | Exception] = {}
    left = list(enumerate(rows))
    while left:
        firsts = {row.key: index for index, row in reversed(left)}
        now = [(index, row) for index, row in left if firsts[row.key] == index]
        answers = await _answers([row for _, row in now], call)
        written |= dict(zip((index for index, _ in now), answers, strict=True))
        left = [(index, row) for index, row in left if index not in written]
    return [written[index] for index in range(len(rows))]


async def _answers(rows: Sequence[Row], call: Call) -> Sequence[Written | Exception]:
    """An error is that of the rows of its own call: those of the one before were answered."""
    try:
        return await call(rows)
    except UpstreamError as error:
        return [error] * len(rows)
