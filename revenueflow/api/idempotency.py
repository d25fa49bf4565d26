"""`Idempotency-Key`, for what is made by a request: a key belongs to its caller, and to one kind of thing."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any

from fastapi import Header, Response

from revenueflow.api.deps import Principal
from revenueflow.db.requests import Once
from revenueflow.privacy.identity import delivery_id

IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=200)]
REPLAYED = "Idempotency-Replayed"
PROBLEMS: dict[int | str, dict[str, Any]] = {
    409: {
        "description": "A request with this Idempotency-Key is in flight; again after Retry-After.",
        "content": {"application/problem+json": {}},
    }
}


def of_caller(caller: Principal, key: str | None) -> str | None:
    """The caller's key, told from the same key of others."""
    return f"{caller.key_id}:{key}" if key else None


def once(kind: str, caller: Principal, key: str | None, raw: bytes) -> Once | None:
    """The request to make something of this kind once; None without a key."""
    given = of_caller(caller, key)
    return Once(delivery_id(kind, given), sha256(raw).digest()) if given else None


def mark(response: Response, *, replayed: bool) -> None:
    """Says of an answer that it was given before."""
    if replayed:
        response.headers[REPLAYED] = "true"
