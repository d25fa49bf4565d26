"""An event as it is stored, in the form that its leaf hash is made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from revenueflow.clock import rfc3339
from revenueflow.db.audit_log import EVENT


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of an event as strings, integers, booleans and null: what is hashed, exported and proved."""
    return {name: _plain(row[name], name) for name in EVENT}


def _plain(value: Any, name: str) -> Any:
    if isinstance(value, str) and name == "detail":
        return orjson.loads(value)
    if isinstance(value, datetime):
        return rfc3339(value)
    # asyncpg has a UUID of its own, whose text costs less.
    return str(value) if isinstance(value, UUID) else value
