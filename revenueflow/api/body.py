"""Reads request bodies under a cap and a deadline."""

from __future__ import annotations

import asyncio

from fastapi import Request

from revenueflow.api.deadlines import WHOLE
from revenueflow.api.deps import state_of
from revenueflow.errors import MalformedInput, TooLarge, TooSlow, UnsupportedMedia


async def read(request: Request, limit: int, *, while_it_moves: bool = False) -> bytes:
    """The raw body. Raises TooLarge as soon as it is known to be over `limit` bytes; no more than that is kept.

    Raises TooSlow if it is not there in REVENUEFLOW_BODY_SECONDS, or, `while_it_moves`, if nothing comes for as long.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > 18 or int(announced) > limit):
        raise _too_large(limit)
    if request.scope.get("state", {}).get(WHOLE):
        return await _gather(request, limit)
    seconds = state_of(request).settings.api.body_seconds
    try:
        async with asyncio.timeout(seconds) as deadline:
            return await _gather(request, limit, (deadline, seconds) if while_it_moves else None)
    except TimeoutError:
        raise TooSlow(f"the body was not there after {seconds:g} s") from None


async def _gather(request: Request, limit: int, moving: tuple[asyncio.Timeout, float] | None = None) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise MalformedInput("the body broke off")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
        if not message.get("more_body"):
            break
        if moving:
            moving[0].reschedule(asyncio.get_running_loop().time() + moving[1])
    return b"".join(parts)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is over {limit} bytes")


def is_encoded(request: Request) -> bool:
    """Whether the body is compressed: we do not inflate what strangers send."""
    return request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")


def refuse_encoded(request: Request) -> None:
    """Raises UnsupportedMedia for a compressed body."""
    if is_encoded(request):
        raise UnsupportedMedia("send the body as it is, without a content-encoding")
