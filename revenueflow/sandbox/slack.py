"""Slack's wire: chat.postMessage. What it refuses comes as HTTP 200 with `ok: false`."""

from __future__ import annotations

import itertools
import re
import time
from hashlib import blake2b
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CHANNEL_ID: Final = re.compile(r"[CGDU][A-Z0-9]{6,}")
LEFT: Final = "U0LEFT"
"""With this begin the ids of people who are not in the workspace any more."""


def refuse(status: int, reason: str) -> Response:  # noqa: ARG001
    """429 with Retry-After is the rate limit; else `internal_error` with that status."""
    if status == 429:
        return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"retry-after": "1"})
    return JSONResponse({"ok": False, "error": "internal_error"}, status)


def app() -> Starlette:
    """Serves /api/chat.postMessage."""
    numbers = itertools.count(1)

    async def post(request: Request) -> Response:
        message = await _message(request)
        fault = _fault(request, message)
        if fault or message is None:
            return JSONResponse({"ok": False, "error": fault})
        channel = str(message["channel"])
        if not CHANNEL_ID.fullmatch(channel):
            channel = "C" + blake2b(channel.encode(), digest_size=5).hexdigest().upper()
        stamp = f"{int(time.time())}.{next(numbers):06}"
        posted = {"type": "message", "bot_id": "B0SANDBOX", "text": message.get("text", ""), "ts": stamp}
        return JSONResponse({"ok": True, "channel": channel, "ts": stamp, "message": posted})

    return Starlette(routes=[Route("/api/chat.postMessage", post, methods=["POST"])])


async def _message(request: Request) -> dict[str, Any] | None:
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            loaded = orjson.loads(await request.body())
        except orjson.JSONDecodeError:
            return None
        return loaded if isinstance(loaded, dict) else None
    async with request.form() as form:
        return dict(form)


def _fault(request: Request, message: dict[str, Any] | None) -> str | None:
    if not request.headers.get("authorization", "").startswith("Bearer "):
        return "not_authed"
    if message is None:
        return "invalid_json"
    if not message.get("channel") or str(message["channel"]).startswith(LEFT):
        return "channel_not_found"
    return None if message.get("text") or message.get("blocks") or message.get("attachments") else "no_text"
