"""Reading a body: JSON or an HTML form, as flat fields. What can't be read has a reason, not an exception."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import parse_qsl

import orjson

FORM = "application/x-www-form-urlencoded"
LONGEST_KEY = 500  # an index takes 2,700 bytes


class Unreadable(Exception):
    """The body can't be understood; the message is a short stable reason."""


def media_type(content_type: str) -> str:
    """The media type without parameters, lower case."""
    return content_type.split(";", 1)[0].strip().lower()


def fields(raw: bytes, content_type: str) -> dict[str, object]:
    """A flat object from JSON or a form. Raises Unreadable."""
    if media_type(content_type) == FORM:
        return dict(_form(raw))
    value = json(raw)
    if not isinstance(value, dict):
        raise Unreadable("not_an_object")
    return value


def json(raw: bytes) -> object:
    """Strict JSON (RFC 8259, UTF-8). Raises Unreadable."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Unreadable("malformed_json" if raw.strip() else "empty_body") from None


def delivery_key(given: str | None, raw: bytes) -> str:
    """What a delivery is known by: the sender's key, or its hash if it is long; else the hash of the body."""
    if given and len(given) > LONGEST_KEY:
        return body_key(given.encode())
    return given or body_key(raw)


def body_key(raw: bytes) -> str:
    """The delivery key of a sender that gives none."""
    return sha256(raw).hexdigest()


def _form(raw: bytes) -> list[tuple[str, object]]:
    try:
        return list(parse_qsl(raw.decode("utf-8"), keep_blank_values=True, max_num_fields=1000))
    except (UnicodeDecodeError, ValueError):
        raise Unreadable("malformed_form") from None
