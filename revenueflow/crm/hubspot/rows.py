"""Upserts of several records in one call.

POST {base}/crm/objects/2026-09/{type}/batch/upsert
     {"inputs": [{"id": our key, "idProperty": its property, "objectWriteTraceId": "0", "properties"}]}       up to 100
200  {"status": "COMPLETE", "results": [{"id", "properties", "objectWriteTraceId"}]}
207  the same, and "errors": [{"category", "context": {"objectWriteTraceId": ["0"]}}]
400, 409   the whole call was refused for one of them: it is halved until that one is alone
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel, Field, ValidationError

from revenueflow.crm.batching import Row, Written, in_turns
from revenueflow.crm.hubspot.errors import NAME, READABLE, code_in, error_of
from revenueflow.errors import OutcomeUnknown
from revenueflow.resilience.sharing import Shared
from revenueflow.resilience.upstream import Answer, HttpUpstream

OBJECTS: Final = "/crm/objects/2026-09"
LARGEST: Final = 100
LANES: Final = 4


class _Result(BaseModel):
    id: str
    properties: dict[str, str | None] = {}
    trace: str | None = Field(None, alias="objectWriteTraceId")


class _Error(BaseModel):
    category: str = ""
    context: dict[str, list[str]] = {}


class _Answer(BaseModel):
    results: list[_Result]
    errors: list[_Error] = []


class Rows:
    """The upserts of one type of record by its key property: those that wait at the same moment share a call."""

    def __init__(self, upstream: HttpUpstream, object_type: str, key: str) -> None:
        self._upstream = upstream
        self._path = f"{OBJECTS}/{object_type}/batch/upsert"
        self._key = key
        self.upsert: Shared[Row, Written] = Shared(self._perform, largest=LARGEST, lanes=LANES)

    async def _perform(self, rows: Sequence[Row]) -> list[Written | Exception]:
        return await in_turns(rows, self._call)

    async def _call(self, rows: Sequence[Row]) -> list[Written | Exception]:
        inputs = [self._input(index, row) for index, row in enumerate(rows)]
        answer = await self._upstream.request("POST", self._path, json={"inputs": inputs}, tries=1, allow=READABLE)
        if answer.status in (400, 409):
            return await self._refused(rows, answer)
        if answer.status not in (200, 201, 207):
            raise error_of(answer)
        return self._sorted(rows, answer)

    async def _refused(self, rows: Sequence[Row], answer: Answer) -> list[Written | Exception]:
        if len(rows) == 1:
            return [Written(None, code_in(answer.data, answer.status))]
        middle = len(rows) // 2
        halves = [await in_turns(half, self._call) for half in (rows[:middle], rows[middle:])]
        return halves[0] + halves[1]

    def _input(self, index: int, row: Row) -> dict[str, Any]:
        properties = {**row.fields, self._key: row.key}
        return {"id": row.key, "idProperty": self._key, "objectWriteTraceId": str(index), "properties": properties}

    def _sorted(self, rows: Sequence[Row], answer: Answer) -> list[Written | Exception]:
        """The results by their rows: by trace id, else by our key. A row of which nothing is said may be written."""
        try:
            told = _Answer.model_validate(answer.data)
        except ValidationError:
            raise OutcomeUnknown(NAME, "malformed") from None
        traces = {result.trace: result.id for result in told.results if result.trace}
        keys = {result.properties.get(self._key): result.id for result in told.results}
        wrong = {
            trace: code_in({"category": error.category}, answer.status)
            for error in told.errors
            for trace in error.context.get("objectWriteTraceId", [])
        }
        return [
            _one(traces.get(str(index)) or keys.get(row.key), wrong.get(str(index))) for index, row in enumerate(rows)
        ]


def _one(found: str | None, code: str | None) -> Written | Exception:
    if found:
        return Written(found)
    return Written(None, code) if code else OutcomeUnknown(NAME, "malformed")
