"""Recomputes what the trail claims of itself: an event that was altered no longer fits its leaf hash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from revenueflow.audit.trail import leaf_hash
from revenueflow.clock import rfc3339
from revenueflow.db import audit_events
from revenueflow.db.session import Session


@dataclass(frozen=True, slots=True)
class Verified:
    """How many events were looked at, and the ids of those that were altered."""

    events: int
    altered: tuple[UUID, ...]

    @property
    def intact(self) -> bool:
        """True if every event fits its leaf hash."""
        return not self.altered


async def verify(session: Session) -> Verified:
    """Looks at every event. Needs a role that may read audit_events (the sealer's or the owner's)."""
    count, altered = 0, []
    async for event in audit_events.every(session):
        count += 1
        stored = event.pop("leaf_hash")
        if leaf_hash({name: _plain(value) for name, value in event.items()}) != stored:
            altered.append(event["id"])
    return Verified(count, tuple(altered))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    return str(value) if isinstance(value, UUID) else value
