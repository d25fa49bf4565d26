"""What a POST must be before the SDK sees it: one JSON-RPC message in UTF-8, which every reader reads the same way.

The SDK takes text in other encodings, ignores how a body is encoded and which of two equal names it takes, has two
minds about content types, and repeats in its errors what it could not use. A proxy that looks into requests would see
others than we do.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple, TypeAlias

from mcp_types import INVALID_REQUEST, PARSE_ERROR
from starlette.types import Receive, Scope

ReadBody: TypeAlias = Callable[[Scope, Receive], Awaitable[bytes]]
"""The whole body. Raises errors of ours: TooLarge, TooSlow."""

JSON: Final = b"application/json"
CHARSETS: Final = ("charset=utf-8", 'charset="utf-8"')


class Wrong(NamedTuple):
    """Why a request is refused: the HTTP status, and the code and message of JSON-RPC."""

    status: int
    code: int
    message: str


NO_JSON: Final = Wrong(415, INVALID_REQUEST, "Unsupported Media Type: the body is JSON in UTF-8, and not encoded")
UNREADABLE: Final = Wrong(400, PARSE_ERROR, "Parse error")
REPEATED: Final = Wrong(400, PARSE_ERROR, "Parse error: a name comes twice in one object")
NO_MESSAGE: Final = Wrong(400, INVALID_REQUEST, "Body must be a single JSON-RPC request or notification object")


class _Repeated(ValueError):
    """A name comes twice in one object."""


def is_json(scope: Scope) -> bool:
    """Whether the headers say so, once. From then on they say it in one spelling."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    kinds = [value for name, value in headers if name == b"content-type"]
    encodings = [value for name, value in headers if name == b"content-encoding" and value.lower() != b"identity"]
    if len(kinds) != 1 or encodings or not _names_json(kinds[0].decode("latin-1")):
        return False
    scope["headers"] = [(name, JSON if name == b"content-type" else value) for name, value in headers]
    return True


def _names_json(kind: str) -> bool:
    media, *parameters = (part.strip().lower() for part in kind.split(";"))
    return media == JSON.decode() and all(one in CHARSETS for one in parameters)


def fault(body: bytes) -> Wrong | None:
    """What is wrong with a body; None if nothing is."""
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    except _Repeated:
        return REPEATED
    except (ValueError, RecursionError):
        return UNREADABLE
    return None if _is_message(found) else NO_MESSAGE


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Repeated
    return found


def _no_number(_: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


def _is_message(found: object) -> bool:
    if not isinstance(found, dict) or found.get("jsonrpc") != "2.0":
        return False
    if "method" not in found:
        return "id" in found and ("result" in found or "error" in found)
    return (
        isinstance(found["method"], str)
        and isinstance(found.get("params"), dict | None)
        and ("id" not in found or (isinstance(found["id"], str | int) and not isinstance(found["id"], bool)))
    )


def replayed(body: bytes, receive: Receive) -> Receive:
    """`receive` of a request whose body has been read."""
    told = False

    async def again() -> Any:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
