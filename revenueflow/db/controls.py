"""Switches that every process obeys at once.

`paused` stops claims and rings, never the ingress; `writes_stopped` stops every write to the outside.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from revenueflow.db.session import Session

PAUSED = "paused"
WRITES_STOPPED = "writes_stopped"

_SET = text("""
    INSERT INTO controls (name, value, set_by) VALUES (:name, :value, :by)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value, set_by = excluded.set_by, set_at = now()
""").bindparams(bindparam("value", type_=JSONB))
_UNSET = text("DELETE FROM controls WHERE name = :name")
_ALL = text("""
    SELECT name, value, set_by, set_at, extract(epoch FROM now() - set_at)::float8 AS seconds
    FROM controls ORDER BY name
""")


async def turn_on(session: Session, name: str, *, by: str, value: Any = True) -> None:
    """Sets a switch."""
    await session.execute(_SET, {"name": name, "value": value, "by": by})


async def turn_off(session: Session, name: str) -> bool:
    """Unsets a switch; False if it was not set."""
    return (await session.execute(_UNSET, {"name": name})).rowcount == 1


async def current(session: Session) -> list[dict[str, Any]]:
    """The switches that are set, by whom, and for how many seconds they have been."""
    return [dict(row) for row in (await session.execute(_ALL)).mappings()]
