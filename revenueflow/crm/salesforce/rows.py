"""Upserts of several records in one call, which counts as one against the org's limit.

PATCH {base}/services/data/{version}/composite/sobjects/{type}/{key field}
      {"allOrNone": false, "records": [{"attributes": {"type"}, key field, …}]}          up to 200, of one type
      [{"id", "success", "created", "errors": [{"statusCode", "message", "fields"}]}]    in the order of the records
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from revenueflow.crm.batching import Row, Written, in_turns
from revenueflow.crm.salesforce.errors import NAME
from revenueflow.crm.salesforce.session import Session
from revenueflow.errors import OutcomeUnknown
from revenueflow.resilience.sharing import Shared

LARGEST: Final = 200
LANES: Final = 4


class _Error(BaseModel):
    code: str = Field("", alias="statusCode")


class _Result(BaseModel):
    id: str | None = None
    success: bool
    errors: list[_Error] = []


_RESULTS: TypeAdapter[list[_Result]] = TypeAdapter(list[_Result])


class Rows:
    """The upserts of one type of record by its key field: those that wait at the same moment share a call."""

    def __init__(self, session: Session, version: str, object_type: str, key: str) -> None:
        self._session = session
        self._path = f"/services/data/{version}/composite/sobjects/{object_type}/{key}"
        self._type = object_type
        self._key = key
        self.upsert: Shared[Row, Written] = Shared(self._perform, largest=LARGEST, lanes=LANES)

    async def _perform(self, rows: Sequence[Row]) -> list[Written | Exception]:
        return await in_turns(rows, self._call)

    async def _call(self, rows: Sequence[Row]) -> list[Written]:
        records = [{"attributes": {"type": self._type}, self._key: row.key, **row.fields} for row in rows]
        answer = await self._session.request("PATCH", self._path, json={"allOrNone": False, "records": records})
        try:
            results = _RESULTS.validate_python(answer.data)
        except ValidationError:
            raise OutcomeUnknown(NAME, "malformed") from None
        if len(results) != len(rows):
            raise OutcomeUnknown(NAME, "malformed")
        return [_written(result) for result in results]


def _written(result: _Result) -> Written:
    if result.success and result.id:
        return Written(result.id)
    return Written(None, result.errors[0].code if result.errors else "")
