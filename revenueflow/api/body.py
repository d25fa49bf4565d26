"""Reads request bodies under a cap."""

from __future__ import annotations

from fastapi import Request
from starlette.requests import ClientDisconnect

from revenueflow.errors import MalformedInput, TooLarge


async def read(request: Request, limit: int) -> bytes:
    """The raw body. Raises TooLarge as soon as it is known to be over `limit` bytes; no more than that is kept."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise _too_large(limit)
            parts.append(part)
    except ClientDisconnect:
        raise MalformedInput("the body broke off") from None
    return b"".join(parts)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is over {limit} bytes")


def is_encoded(request: Request) -> bool:
    """Whether the body is compressed: we do not inflate what strangers send."""
    return request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")
