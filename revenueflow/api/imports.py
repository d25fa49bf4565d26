"""CSV files over HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from revenueflow.api import body
from revenueflow.api.deps import AppState, Principal, TraceId, require
from revenueflow.api.examples import IMPORT_OPENAPI
from revenueflow.errors import Fault, InvalidInput, MalformedInput, TooLarge, UnsupportedMedia
from revenueflow.sources import csv, payload

router = APIRouter(prefix="/v1/imports", tags=["imports"])
ENVELOPE = 16 * 1024
"""Bytes of a multipart body that are not the file's."""


@router.post("", status_code=202, operation_id="importCsv", openapi_extra=IMPORT_OPENAPI)
async def import_csv(
    request: Request,
    state: AppState,
    trace_id: TraceId,
    _: Annotated[Principal, Depends(require("ingest", "operator"))],
) -> dict[str, Any]:
    """Takes a CSV of leads. When the answer comes, every row is on disk; the same file again changes nothing."""
    data = await _file(request, state.settings.api.import_limit)
    done = await csv.store(data, state.ingress, trace_id, state.settings.config_dir)
    return {
        "rows": done.rows,
        "accepted": done.accepted,
        "duplicates": done.duplicates,
        "quarantined": done.quarantined,
    }


async def _file(request: Request, limit: int) -> bytes:
    # Not by a parameter of the route: that would read a body of any size before the caller is known.
    if payload.media_type(request.headers.get("content-type", "")) != "multipart/form-data":
        raise UnsupportedMedia("send multipart/form-data with the file in a part named `file`")
    body.refuse_encoded(request)
    raw = await body.read(request, limit + ENVELOPE, while_it_moves=True)
    try:
        form = await MultiPartParser(request.headers, _once(raw), max_files=1, max_fields=10).parse()
    except MultiPartException:
        raise MalformedInput("the body is no multipart/form-data with one file") from None
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise InvalidInput("there is no file", faults=(Fault("/file", "must be a file"),))
    data = await file.read(limit + 1)
    await form.close()
    if len(data) > limit:
        raise TooLarge(f"the file is over {limit} bytes")
    return data


async def _once(raw: bytes) -> AsyncGenerator[bytes, None]:
    yield raw
