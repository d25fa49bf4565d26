"""CSV files over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, UploadFile

from revenueflow.api.deps import AppState, Principal, TraceId, require
from revenueflow.errors import TooLarge
from revenueflow.sources import csv

router = APIRouter(prefix="/v1/imports", tags=["imports"])


@router.post("", status_code=202, operation_id="importCsv")
async def import_csv(
    file: UploadFile,
    state: AppState,
    trace_id: TraceId,
    _: Annotated[Principal, Depends(require("ingest", "operator"))],
) -> dict[str, Any]:
    """Takes a CSV of leads. When the answer comes, every row is on disk; the same file again changes nothing."""
    limit = state.settings.api.import_limit
    data = await file.read(limit + 1)
    if len(data) > limit:
        raise TooLarge(f"the file is over {limit} bytes")
    done = await csv.store(data, state.ingress, trace_id, state.settings.config_dir)
    return {
        "rows": done.rows,
        "accepted": done.accepted,
        "duplicates": done.duplicates,
        "quarantined": done.quarantined,
    }
