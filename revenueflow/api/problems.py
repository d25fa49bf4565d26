"""Errors as application/problem+json (RFC 9457). A rejected value is never repeated."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from revenueflow.api.deps import state_of
from revenueflow.api.limits import STANDING
from revenueflow.errors import Fault, RevenueFlowError, plain
from revenueflow.privacy.redaction import LINE, redact
from revenueflow.telemetry import logs

log = logs.get("api")


def problem(
    request: Request,
    status: int,
    title: str,
    detail: str,
    *,
    code: str,
    faults: Sequence[Fault] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """A problem document. `type` is stable and names the kind of error."""
    body: dict[str, Any] = {
        "type": f"urn:revenueflow:problem:{code}",
        "title": title,
        "status": status,
        "detail": redact(plain(detail), kinds=LINE),
        "instance": _instance(request, faults),
        "errors": [{"pointer": fault.pointer, "detail": plain(fault.detail)} for fault in faults],
        "trace_id": request.scope.get("trace_id", ""),
    }
    standing = request.scope.get(STANDING)
    headers = (headers or {}) | (standing.fields() if standing else {})
    return Response(orjson.dumps(body), status, headers, media_type="application/problem+json")


def _instance(request: Request, faults: Sequence[Fault]) -> str:
    # A rejected value may stand in the path itself: then the route's pattern is named instead.
    rejected = any(fault.pointer.startswith("/path/") for fault in faults)
    return str(getattr(request.scope.get("route"), "path", "")) if rejected else request.url.path


async def _ours(request: Request, error: Exception) -> Response:
    if not isinstance(error, RevenueFlowError):
        raise error
    if error.status == 401:
        error = await state_of(request).limits.count_failure(request.scope) or error
    return problem(
        request,
        error.status,
        error.title,
        error.detail,
        code=error.code,
        faults=error.faults,
        headers=_headers(error),
    )


def _headers(error: RevenueFlowError) -> dict[str, str]:
    headers = {"Retry-After": str(max(1, round(error.retry_after or 1)))} if error.retryable else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status == 408:
        headers["Connection"] = "close"
    return headers


async def _invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [Fault("/" + "/".join(map(str, item["loc"])), item["msg"]) for item in error.errors()]
    where = "a parameter of the request is not valid"
    return problem(request, 422, "Input is not valid", where, code="invalid_input", faults=faults)


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    title = HTTPStatus(error.status_code).phrase
    headers = dict(error.headers) if error.headers else None
    return problem(request, error.status_code, title, title, code=f"http_{error.status_code}", headers=headers)


async def _unforeseen(request: Request, error: Exception) -> Response:
    log.error("request_failed", path=request.url.path, kind=type(error).__name__, exc_info=error)
    return problem(
        request, 500, "Internal error", "the request failed; the trace id leads to the cause", code="internal"
    )


def install(app: FastAPI) -> None:
    """Makes every error of the app a problem document."""
    app.add_exception_handler(RevenueFlowError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)
