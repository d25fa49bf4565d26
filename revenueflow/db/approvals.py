"""Queries on approvals: a person's word on one exact call. All clocks are the database's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, text

from revenueflow.db.rows import encoded
from revenueflow.db.session import Session

STATES = ("pending", "approved", "used", "denied", "expired", "withdrawn")


class Asked(NamedTuple):
    """A call that needs a person's word; `call_hmac` is over tool, arguments and caller."""

    action_key: UUID
    call_hmac: bytes
    tool: str
    args: dict[str, Any]
    caller: str
    rule: str
    approver: str
    lead_id: UUID
    job_id: UUID | None
    trace_id: str | None


# Pending ones whose time is over are shown as what they are, whether or not the call has come back since.
_SHOWN = """
    id, action_key, call_hmac, tool, args, caller, rule, approver, lead_id, job_id, trace_id, asked_at, expires_at,
    decided_at, decided_by, used_at, queued,
    greatest(0, extract(epoch FROM expires_at - now()))::float8 AS seconds_left,
    CASE WHEN state IN ('pending', 'approved') AND expires_at <= now() THEN 'expired' ELSE state END AS state
"""
_LAST = text(f"""
    SELECT {_SHOWN}, state AS stored FROM approvals WHERE action_key = :key ORDER BY id DESC LIMIT 1 FOR UPDATE
""")  # noqa: S608 a constant
_IS_OURS = "EXISTS (SELECT FROM leads WHERE id = :lead_id AND erased_at IS NULL)"
# About a lead that we don't have, or that was erased, nobody is asked, and nothing of the call is kept.
_ASK = text(f"""
    INSERT INTO approvals (
        action_key, call_hmac, tool, args, caller, rule, approver, lead_id, job_id, trace_id, expires_at, queued)
    VALUES (
        :action_key, :call_hmac, :tool, CASE WHEN {_IS_OURS} THEN CAST(:args AS jsonb) ELSE '{{}}' END, :caller, :rule,
        :approver, :lead_id, :job_id, :trace_id, now() + make_interval(secs => :seconds), {_IS_OURS})
    ON CONFLICT (action_key) WHERE state IN ('pending', 'approved', 'used', 'denied') DO NOTHING
    RETURNING {_SHOWN}
""")  # noqa: S608 a constant
# The lead may have come since.
_QUEUE = text(f"""
    UPDATE approvals SET queued = true, args = CAST(:args AS jsonb) WHERE id = :id AND {_IS_OURS}
""")  # noqa: S608 a constant
_ASK_CLIENT = text("""
    UPDATE approvals SET client_asks_left = client_asks_left - 1
    WHERE id = :id AND state = 'pending' AND client_asks_left > 0
""")
_LEAVE = text("UPDATE approvals SET client_asks_left = 0 WHERE id = :id")
_OURS = text(f"SELECT {_IS_OURS}")
_MOVE = text("""
    UPDATE approvals SET state = :new, used_at = CASE WHEN :new = 'used' THEN now() END
    WHERE id = :id AND state = :old
""").bindparams(bindparam("new", type_=Text))
# Two people may decide at the same moment: the first one has decided.
_DECIDE = text(f"""
    UPDATE approvals SET state = :state, decided_at = now(), decided_by = :by
    WHERE id = :id AND state = 'pending' AND expires_at > now()
    RETURNING {_SHOWN}
""")  # noqa: S608 a constant
_GET = text(f"SELECT {_SHOWN} FROM approvals WHERE id = :id")  # noqa: S608 a constant
_PAGE = text(f"""
    SELECT * FROM (SELECT {_SHOWN} FROM approvals) shown
    WHERE queued AND (CAST(:state AS text) IS NULL OR state = :state)
        AND (CAST(:before AS uuid) IS NULL OR id < :before)
    ORDER BY id DESC LIMIT :limit
""").bindparams(bindparam("state", type_=Text), bindparam("before", type_=Uuid))  # noqa: S608 a constant
# A place is held for the whole time: nobody may tell by it that a lead was erased.
_WAITING_OF = text("""
    SELECT count(*) FROM approvals WHERE state IN ('pending', 'withdrawn') AND caller = :caller AND expires_at > now()
""")
_OLDEST = text("""
    SELECT count(*), coalesce(extract(epoch FROM now() - min(asked_at)), 0)::float8
    FROM approvals WHERE state = 'pending' AND queued AND expires_at > now()
""")


async def last(session: Session, action_key: UUID) -> dict[str, Any] | None:
    """The newest approval of a call, held until the end of the transaction; `stored` is its state
    as it was written, whatever the time is."""
    found = (await session.execute(_LAST, {"key": action_key})).mappings().first()
    return dict(found) if found else None


async def ask(session: Session, asked: Asked, *, seconds: float) -> dict[str, Any] | None:
    """A new one, pending for so many seconds. None if another process has just asked for the same call.

    It is `queued`, for people to see, if we have the lead.
    """
    values = asked._asdict() | {"args": encoded(asked.args), "seconds": seconds}
    found = (await session.execute(_ASK, values)).mappings().first()
    return dict(found) if found else None


async def queue(session: Session, approval_id: UUID, lead_id: UUID, args: dict[str, Any]) -> bool:
    """Puts one that was asked before its lead came into the queue; False if we still don't have the lead."""
    values = {"id": approval_id, "lead_id": lead_id, "args": encoded(args)}
    return (await session.execute(_QUEUE, values)).rowcount == 1


async def ask_client(session: Session, approval_id: UUID) -> bool:
    """Whether the person at the client may be asked once more; then that counts as asked."""
    return (await session.execute(_ASK_CLIENT, {"id": approval_id})).rowcount == 1


async def leave_to_queue(session: Session, approval_id: UUID) -> None:
    """The person at the client is not asked about it any more."""
    await session.execute(_LEAVE, {"id": approval_id})


async def is_ours(session: Session, lead_id: UUID) -> bool:
    """Whether we have the lead, and nobody has erased it."""
    found: bool = (await session.execute(_OURS, {"lead_id": lead_id})).scalar_one()
    return found


async def move(session: Session, approval_id: UUID, old: str, new: str) -> bool:
    """From one state to another; False if it is in a third one."""
    return (await session.execute(_MOVE, {"id": approval_id, "old": old, "new": new})).rowcount == 1


async def decide(session: Session, approval_id: UUID, state: str, *, by: str) -> dict[str, Any] | None:
    """`approved` or `denied`; None if it was decided before, or its time is over."""
    found = (await session.execute(_DECIDE, {"id": approval_id, "state": state, "by": by})).mappings().first()
    return dict(found) if found else None


async def get(session: Session, approval_id: UUID) -> dict[str, Any] | None:
    """One approval."""
    found = (await session.execute(_GET, {"id": approval_id})).mappings().first()
    return dict(found) if found else None


async def page(
    session: Session, *, limit: int, state: str | None = None, before: UUID | None = None
) -> Sequence[dict[str, Any]]:
    """Newest first, by keyset."""
    values = {"state": state, "before": before, "limit": limit}
    return [dict(row) for row in (await session.execute(_PAGE, values)).mappings()]


async def waiting_of(session: Session, caller: str) -> int:
    """How many calls of one caller wait, whether or not people see them."""
    count: int = (await session.execute(_WAITING_OF, {"caller": caller})).scalar_one()
    return count


async def waiting(session: Session) -> tuple[int, float]:
    """How many wait in the queue, and for how many seconds the oldest has."""
    count, age = (await session.execute(_OLDEST)).one()
    return count, age
