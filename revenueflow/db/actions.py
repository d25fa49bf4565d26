"""Queries on actions: every change of state of an intended write. Only the guard and the reconciler call them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert

from revenueflow.db.models import actions
from revenueflow.db.session import Session


class PlannedAction(NamedTuple):
    """A write that is about to be made."""

    action_key: UUID
    record_key: UUID
    object_type: str
    tool: str
    run_version: int
    caller: str
    args: dict[str, Any]
    args_hmac: bytes
    job_id: UUID | None
    lead_id: UUID


# What makes a write outdated: a later run of the pipeline wrote, or anybody else did after it was sent.
_NEWER_EXISTS = """EXISTS (
    SELECT FROM actions newer
    WHERE newer.record_key = mine.record_key AND newer.tool = mine.tool AND newer.action_key <> mine.action_key
      AND newer.state IN ('sent', 'unknown', 'confirmed')
      AND CASE WHEN mine.caller = 'pipeline' AND newer.caller = 'pipeline' THEN newer.run_version > mine.run_version
               ELSE newer.sent_at > coalesce(mine.sent_at, mine.planned_at) END)"""

# The lease is checked in the transaction that marks the write as sent: a worker that lost it sends nothing.
_SEND = text(f"""
    UPDATE actions mine SET state = 'sent', sent_at = now(), lease_token = :token, tries = tries + 1, absent_at = NULL
    WHERE action_key = :key AND state IN ('planned', 'unknown', 'sent') AND tries = :tries
      AND (CAST(:job_id AS uuid) IS NULL OR EXISTS (
           SELECT FROM jobs WHERE id = :job_id AND lease_token = :token AND state = 'leased'))
      AND NOT {_NEWER_EXISTS}
""")  # noqa: S608 a constant
_OUTDATED = text(f"SELECT {_NEWER_EXISTS} FROM actions mine WHERE action_key = :key")  # noqa: S608 a constant

_SETTLE = text("""
    UPDATE actions SET state = :state, settled_at = now(), crm_id = coalesce(:crm_id, crm_id),
        result = coalesce(:result, result), error = :error
    WHERE action_key = :key AND state IN ('planned', 'sent', 'unknown')
""").bindparams(bindparam("result", type_=JSONB))

_BACK_TO_PLANNED = text(
    "UPDATE actions SET state = 'planned', error = :error WHERE action_key = :key AND state = 'sent'"
)
_DOUBT = text("UPDATE actions SET state = 'unknown', error = :error WHERE action_key = :key AND state = 'sent'")
_ABSENT = text("""
    UPDATE actions SET state = 'unknown', error = 'absent', absent_at = coalesce(absent_at, now())
    WHERE action_key = :key AND state IN ('sent', 'unknown')
    RETURNING extract(epoch FROM now() - absent_at)
""")
_REPLACE_ARGS = text("""
    UPDATE actions SET args = :args, args_hmac = :args_hmac WHERE action_key = :key AND state = 'planned'
""").bindparams(bindparam("args", type_=JSONB))
_PLAN_AGAIN = text("""
    UPDATE actions SET state = 'planned', error = NULL, absent_at = NULL, settled_at = NULL
    WHERE job_id = ANY(:jobs) AND state = 'failed' RETURNING action_key, tool, lead_id, job_id
""").bindparams(bindparam("jobs", type_=ARRAY(Uuid)))

_SUPERSEDE = text("""
    UPDATE actions SET state = 'superseded', settled_at = now()
    WHERE record_key = :record_key AND tool = :tool AND run_version < :run_version AND state = 'planned'
    RETURNING action_key
""")

# Each look moves an action to the end of the line: one that can't be settled holds up none of the others.
_OPEN = text("""
    UPDATE actions SET looked_at = now() WHERE action_key IN (
        SELECT action_key FROM actions a
        WHERE state IN ('sent', 'unknown') AND tool = ANY(:tools)
          AND coalesce(looked_at, sent_at) < now() - make_interval(secs => :quiet)
          AND NOT EXISTS (SELECT FROM jobs WHERE id = a.job_id AND state = 'leased' AND lease_until > now())
        ORDER BY looked_at NULLS FIRST, sent_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING *
""").bindparams(bindparam("tools", type_=ARRAY(Text)))


async def plan(session: Session, action: PlannedAction) -> bool:
    """Stores an action as planned; False if its key exists already."""
    new = insert(actions).values(**action._asdict()).on_conflict_do_nothing().returning(actions.c.action_key)
    return (await session.execute(new)).first() is not None


async def get(session: Session, key: UUID) -> dict[str, Any] | None:
    """All columns of an action."""
    found = (await session.execute(select(actions).where(actions.c.action_key == key))).mappings().first()
    return dict(found) if found else None


async def send(session: Session, key: UUID, *, tries: int, job_id: UUID | None, token: int | None) -> bool:
    """Marks an action as sent for the time after `tries`, before the socket is written.

    False if the lease is lost, it is settled or outdated, or somebody else has sent it meanwhile.
    """
    values = {"key": key, "tries": tries, "job_id": job_id, "token": token}
    return (await session.execute(_SEND, values)).rowcount == 1


async def settle(
    session: Session,
    key: UUID,
    state: str,
    *,
    crm_id: str | None = None,
    result: dict[str, Any] | None = None,
    error: str | None = None,
) -> bool:
    """Ends an action as confirmed, failed or denied; False if it had ended before."""
    values = {"key": key, "state": state, "crm_id": crm_id, "result": result, "error": error}
    return (await session.execute(_SETTLE, values)).rowcount == 1


async def not_executed(session: Session, key: UUID, error: str) -> bool:
    """The write was clearly not executed: it is planned again. False if it was settled meanwhile."""
    return (await session.execute(_BACK_TO_PLANNED, {"key": key, "error": error})).rowcount == 1


async def doubt(session: Session, key: UUID, error: str) -> bool:
    """The write may or may not have been executed: only reading back tells. False if that was known before."""
    return (await session.execute(_DOUBT, {"key": key, "error": error})).rowcount == 1


async def is_outdated(session: Session, key: UUID) -> bool:
    """True if a later version, a person or an agent wrote the same after this write."""
    return bool((await session.execute(_OUTDATED, {"key": key})).scalar())


async def seen_absent(session: Session, key: UUID) -> float | None:
    """Reading back found nothing: seconds since that was first seen, by the database's clock; None if settled."""
    found = (await session.execute(_ABSENT, {"key": key})).scalar()
    return None if found is None else float(found)


async def replace_args(session: Session, action: PlannedAction) -> bool:
    """Other arguments for a write that was never executed; False if it is not `planned` (any more)."""
    values = {"key": action.action_key, "args": action.args, "args_hmac": action.args_hmac}
    return (await session.execute(_REPLACE_ARGS, values)).rowcount == 1


async def plan_again(session: Session, jobs: Sequence[UUID]) -> list[dict[str, Any]]:
    """Makes the failed writes of these jobs planned ones; returns their key, tool, lead_id and job_id."""
    return [dict(row) for row in (await session.execute(_PLAN_AGAIN, {"jobs": list(jobs)})).mappings()]


async def supersede(session: Session, action: PlannedAction) -> Sequence[UUID]:
    """Ends older writes of the same kind to the same record that were never sent."""
    values = {"record_key": action.record_key, "tool": action.tool, "run_version": action.run_version}
    return (await session.execute(_SUPERSEDE, values)).scalars().all()


async def open_actions(
    session: Session, tools: Sequence[str], *, quiet: float, limit: int = 100
) -> list[dict[str, Any]]:
    """Writes that have been open, and not looked at, for `quiet` seconds, and whose job nobody works on."""
    values = {"tools": list(tools), "quiet": quiet, "limit": limit}
    return [dict(row) for row in (await session.execute(_OPEN, values)).mappings()]
