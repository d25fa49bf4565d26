"""Switches that every process obeys at once, and the trail's word on who turned them."""

from __future__ import annotations

from typing import Final, NamedTuple

from revenueflow.audit import trail
from revenueflow.db import controls, spend
from revenueflow.db.session import Session
from revenueflow.domain.outcome import AuditEntry


class Switch(NamedTuple):
    """A switch, and what the trail calls turning it on and off (`system.…`)."""

    name: str
    on: str
    off: str


PROCESSING: Final = Switch(controls.PAUSED, "paused", "resumed")
SPENDING: Final = Switch(spend.STOPPED, "spending_stopped", "spending_resumed")
WRITES: Final = Switch(controls.WRITES_STOPPED, "writes_stopped", "writes_resumed")
ALL: Final = (PROCESSING, SPENDING, WRITES)


async def turn_on(session: Session, switch: Switch, *, by: str) -> None:
    """Sets it."""
    await controls.turn_on(session, switch.name, by=by)
    await _audit(session, switch.on, by)


async def turn_off(session: Session, switch: Switch, *, by: str) -> bool:
    """Unsets it; False if it was not set."""
    was_on = await controls.turn_off(session, switch.name)
    if was_on:
        await _audit(session, switch.off, by)
    return was_on


async def _audit(session: Session, what: str, by: str) -> None:
    await trail.append(session, trail.Subject(), [AuditEntry(f"system.{what}", "done", actor=by)])
