"""Time. Decisions get `now` as an argument; processes ask here. Leases and due times use the database's clock."""

from __future__ import annotations

from datetime import UTC, datetime


def utcnow() -> datetime:
    """The wall clock of this process, timezone-aware, UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """RFC 3339 in UTC with six digits and `Z`, the one form in which times leave the system."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
