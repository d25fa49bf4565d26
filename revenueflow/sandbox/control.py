"""`/_sandbox/…`: what happened, what should go wrong, and a clean start. On a port of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from revenueflow.sandbox.faults import Faults
from revenueflow.sandbox.state import UPSTREAMS, State


def app(state: State) -> Starlette:
    """The control app over one sandbox's state."""
    control = _Control(state)
    return Starlette(
        routes=[
            Route("/_sandbox/ledger", control.ledger),
            Route("/_sandbox/requests", control.requests),
            Route("/_sandbox/faults/{upstream}", control.faults, methods=["GET", "PUT"]),
            Route("/_sandbox/marketo/activities", control.marketo, methods=["PUT"]),
            Route("/_sandbox/hubspot/journal", control.journal, methods=["PUT"]),
            Route("/_sandbox/state", control.clear, methods=["DELETE"]),
        ]
    )


class _Control:
    def __init__(self, state: State) -> None:
        self._state = state

    async def ledger(self, request: Request) -> Response:
        """Every record of a fake CRM; no other upstream keeps records."""
        upstream = request.query_params.get("upstream", "crm")
        if upstream not in UPSTREAMS:
            return _problem(404, "There is no such upstream.")
        ledger = self._state.ledgers.get(upstream)
        return _json({"records": ledger.shown() if ledger else []})

    async def requests(self, request: Request) -> Response:
        """What reached the upstreams, oldest first: after `since`, an `n` or a time; of these the last `limit`."""
        upstream = request.query_params.get("upstream")
        if upstream is not None and upstream not in UPSTREAMS:
            return _problem(404, "There is no such upstream.")
        try:
            since = _since(request.query_params.get("since"))
            limit = int(request.query_params.get("limit", "20000"))
        except ValueError:
            return _problem(422, "since must be a number or a time as in RFC 3339, limit a number.", ["/since"])
        entries = list(self._state.journal.entries(upstream, since))
        return _json({"requests": [entry.shown() for entry in entries[-limit:]]} if limit > 0 else {"requests": []})

    async def faults(self, request: Request) -> Response:
        """PUT replaces them all: what is not named goes back to what it was at the start."""
        upstream = request.path_params["upstream"]
        if upstream not in UPSTREAMS:
            return _problem(404, "There is no such upstream.")
        if request.method == "PUT":
            try:
                sent = orjson.loads(await request.body())
                usual = self._state.usual[upstream].model_dump()
                faults = Faults.model_validate({**usual, **sent}) if isinstance(sent, dict) else None
            except orjson.JSONDecodeError:
                faults = None
            except ValidationError as error:
                return _problem(422, "A field is unknown or out of range.", _pointers(error))
            if faults is None:
                return _problem(422, "The body must be a JSON object.", [""])
            self._state.set_faults(upstream, faults)
        return _json(self._state.faults[upstream].model_dump())

    async def marketo(self, request: Request) -> Response:
        """Adds to what Marketo knows: `{"leads": [...], "activities": [...], "sample": [n, ...]}`; see records."""
        return await self._told(request, self._state.marketo.add)

    async def journal(self, request: Request) -> Response:
        """Adds a file to HubSpot's journal: `{"events": [...]}`, or `{"url": "…"}` for a file that is elsewhere."""
        return await self._told(request, self._state.hubspot_journal.add)

    async def _told(self, request: Request, add: Callable[[dict[str, Any]], None]) -> Response:
        try:
            sent = orjson.loads(await request.body())
            if not isinstance(sent, dict):
                raise TypeError("no object")
            add(sent)
        except (ValueError, TypeError, KeyError, IndexError):
            return _problem(422, "The body must be a JSON object in the form that the sandbox's records have.", [""])
        return Response(status_code=204)

    async def clear(self, _: Request) -> Response:
        """Ledger, journal, faults and counts, as after a first start."""
        self._state.reset()
        return Response(status_code=204)


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


def _since(text: str | None) -> int | datetime | None:
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    moment = datetime.fromisoformat(text.replace(" ", "+"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _pointers(error: ValidationError) -> list[str]:
    return ["/" + "/".join(map(str, item["loc"])) for item in error.errors()]


def _problem(status: int, detail: str, pointers: Iterable[str] = ()) -> Response:
    """RFC 9457, without the value that was rejected."""
    body = {
        "type": "about:blank",
        "title": "Not found" if status == 404 else "Input is not valid",
        "status": status,
        "detail": detail,
        "errors": [{"pointer": pointer, "detail": "unknown, or out of range"} for pointer in pointers],
    }
    return Response(orjson.dumps(body), status, media_type="application/problem+json")
