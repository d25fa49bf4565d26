"""CSV files over HTTP: taken as they come, and what became of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from revenueflow.api import views
from revenueflow.api.deps import AppState, Principal, State, TraceId, require
from revenueflow.api.examples import IMPORT_OPENAPI
from revenueflow.api.multipart import Upload
from revenueflow.clock import rfc3339
from revenueflow.db import imports
from revenueflow.errors import Fault, InvalidInput, NotFound
from revenueflow.sources.csv import columns, rejects
from revenueflow.sources.csv.columns import Choice
from revenueflow.sources.csv.importing import Import, Preview, run
from revenueflow.sources.csv.reader import Reader
from revenueflow.sources.csv.rejects import Reject

router = APIRouter(prefix="/v1/imports", tags=["imports"])
Sender = Annotated[Principal, Depends(require("ingest", "operator"))]
Viewer = Annotated[Principal, Depends(require("ingest", "reader", "operator"))]
_SHOWN = ("id", "state", "rows", "accepted", "duplicates", "quarantined", "rejected", "mapping", "error")
_TIMES = ("created_at", "updated_at", "finished_at")


@router.post("", status_code=202, operation_id="importCsv", openapi_extra=IMPORT_OPENAPI)
async def import_csv(
    request: Request,
    response: Response,
    state: AppState,
    trace_id: TraceId,
    sender: Sender,
    dry_run: Annotated[bool, Query(description="read all of it, store nothing, say what would be")] = False,
) -> dict[str, Any]:
    """Takes a CSV of leads, row by row as it comes. When the answer comes, every row is on disk or in the rejects.

    The same file again changes nothing, and continues an upload that broke off. `map`, a JSON object of columns and
    fields, and `campaign` are form fields before the file.
    """
    upload = Upload(request, state.settings.api.import_limit, ("map", "campaign"))
    choice = _choice(await upload.fields(), state)
    reader = Reader(choice, state.settings.config_dir)
    if dry_run:
        preview = Preview()
        await run(upload.file(), reader, preview)
        response.status_code = 200
        return preview.told(reader)
    one = Import(state.database, state.ingress, trace_id, choice, created_by=sender.key_id)
    await one.run(upload.file(), reader)
    response.headers["Location"] = f"/v1/imports/{one.id}"
    return {"id": one.id, **one.counts, "rejects": f"/v1/imports/{one.id}/rejects"}


@router.get("/{import_id}", operation_id="getImport")
async def get_import(import_id: UUID, state: AppState, viewer: Viewer) -> dict[str, Any]:
    """How far an import has come: counted with each chunk; running, done or failed."""
    row = await _found(import_id, state, viewer)
    times = {name: rfc3339(row[name]) if row[name] else None for name in _TIMES}
    return {name: row[name] for name in _SHOWN} | times | {"rejects": f"/v1/imports/{import_id}/rejects"}


@router.get(
    "/{import_id}/rejects",
    operation_id="getRejects",
    responses={200: {"content": {"text/csv": {}, "application/json": {}}}},
    response_class=Response,
)
async def get_rejects(
    request: Request,
    import_id: UUID,
    state: AppState,
    viewer: Viewer,
    form: Annotated[Literal["csv", "json"], Query(alias="format")] = "csv",
    limit: Annotated[int, Query(ge=1, le=500, description="JSON: most items in the answer")] = 100,
    cursor: Annotated[str | None, Query(max_length=500, description="JSON: next_cursor of the page before")] = None,
) -> Response:
    """The rows that were not taken, with line and reason: a CSV to mend and upload again, or pages of JSON."""
    row = await _found(import_id, state, viewer)
    if form == "json":
        return await _page(request, state, import_id, limit, cursor)
    named = {"Content-Disposition": f'attachment; filename="rejects-{import_id}.csv"'}
    parts = _as_csv(state, import_id, row["columns"] or [], row["delimiter"] or ",")
    return StreamingResponse(parts, media_type="text/csv; charset=utf-8", headers=named)


def _choice(fields: dict[str, str], state: State) -> Choice:
    try:
        mapping = orjson.loads(fields.get("map") or "{}")
    except orjson.JSONDecodeError:
        mapping = None
    if not isinstance(mapping, dict) or not all(isinstance(one, str) for one in mapping.values()):
        fault = Fault("/map", "must be a JSON object {column: field}")
        raise InvalidInput("the mapping can't be read", faults=(fault,))
    return Choice(columns.checked(mapping, state.settings.config_dir), fields.get("campaign", "").strip() or None)


async def _found(import_id: UUID, state: State, viewer: Principal) -> dict[str, Any]:
    """The import, if this caller may see it: a key of the role `ingest` sees its own."""
    async with state.database.transaction() as session:
        row = await imports.get(session, import_id)
    if row is None or (viewer.role == "ingest" and row["created_by"] != viewer.key_id):
        raise NotFound("there is no import with this id")
    return row


async def _page(request: Request, state: State, import_id: UUID, limit: int, cursor: str | None) -> Response:
    after = views.read_cursor(cursor, int)[0] if cursor else 0
    async with state.database.transaction() as session:
        found = await imports.rejects(session, import_id, after=after, limit=limit)
        more = bool(found) and await imports.rejects(session, import_id, after=found[-1]["line"], limit=1)
    following = views.cursor(found[-1]["line"]) if more else None
    items = [one | {"detail": rejects.DETAILS.get(one["reason"])} for one in found]
    response = JSONResponse({"items": items, "next_cursor": following})
    views.link_next(request, response, following)
    return response


async def _as_csv(state: State, import_id: UUID, names: list[str], delimiter: str) -> AsyncIterator[str]:
    yield rejects.header(names)
    after = 0
    while True:
        async with state.database.transaction() as session:
            found = await imports.rejects(session, import_id, after=after)
        if not found:
            return
        yield rejects.lines([Reject(**one) for one in found], delimiter)
        after = found[-1]["line"]
