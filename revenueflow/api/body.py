"""Reads request bodies under a cap and a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi import Request

from revenueflow.api.deadlines import WHOLE
from revenueflow.api.deps import state_of
from revenueflow.errors import MalformedInput, TooLarge, TooSlow, UnsupportedMedia


async def read(request: Request, limit: int) -> bytes:
    """The raw body. Raises TooLarge as soon as it is known to be over `limit` bytes; no more than that is kept.

    Raises TooSlow if it is not there in REVENUEFLOW_BODY_SECONDS.
    """
    _refuse_announced(request, limit)
    if request.scope.get("state", {}).get(WHOLE):
        return await _gather(request, limit)
    seconds = state_of(request).settings.api.body_seconds
    try:
        async with asyncio.timeout(seconds):
            return await _gather(request, limit)
    except TimeoutError:
        raise _too_slow(seconds) from None


async def stream(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The raw body as it comes. Raises TooLarge where it is over `limit` bytes, MalformedInput where it breaks off.

    Raises TooSlow if nothing comes for REVENUEFLOW_BODY_SECONDS: it has time for as long as it moves. While the caller
    is busy with a part nothing is counted.
    """
    _refuse_announced(request, limit)
    seconds, size, more = state_of(request).settings.api.body_seconds, 0, True
    while more:
        try:
            async with asyncio.timeout(seconds):
                part, more = await _receive(request)
        except TimeoutError:
            raise _too_slow(seconds) from None
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        yield part


async def _gather(request: Request, limit: int) -> bytes:
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        part, more = await _receive(request)
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


async def _receive(request: Request) -> tuple[bytes, bool]:
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise MalformedInput("the body broke off")
    return message.get("body", b""), message.get("more_body", False)


def _refuse_announced(request: Request, limit: int) -> None:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > 18 or int(announced) > limit):
        raise _too_large(limit)


def _too_slow(seconds: float) -> TooSlow:
    return TooSlow(f"the body was not there after {seconds:g} s")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is over {limit} bytes")


def is_encoded(request: Request) -> bool:
    """Whether the body is compressed: we do not inflate what strangers send."""
    return request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")


def refuse_encoded(request: Request) -> None:
    """Raises UnsupportedMedia for a compressed body."""
    if is_encoded(request):
        raise UnsupportedMedia("send the body as it is, without a content-encoding")
