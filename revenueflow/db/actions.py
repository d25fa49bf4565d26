"""Queries on actions: every change of state of an intended write. Only the guard and the reconciler call them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, select, text
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


# The lease is checked in the transaction that marks the write as sent: a worker that lost it sends nothing.
_SEND = text("""
    UPDATE actions SET state = 'sent', sent_at = now(), lease_token = :token, tries = tries + 1
    WHERE action_key = :key AND state IN ('planned', 'unknown', 'sent')
      AND (CAST(:job_id AS uuid) IS NULL OR EXISTS (
           SELECT FROM jobs WHERE id = :job_id AND lease_token = :token AND state = 'leased'))
""")

_SETTLE = text("""
    UPDATE actions SET state = :state, settled_at = now(), crm_id = coalesce(:crm_id, crm_id),
        result = coalesce(:result, result), error = :error
    WHERE action_key = :key AND state IN ('planned', 'sent', 'unknown')
""").bindparams(bindparam("result", type_=JSONB))

_BACK_TO_PLANNED = text(
    "UPDATE actions SET state = 'planned', error = :error WHERE action_key = :key AND state = 'sent'"
)
_DOUBT = text("UPDATE actions SET state = 'unknown', error = :error WHERE action_key = :key AND state = 'sent'")
_ABSENT = text("UPDATE actions SET absent_at = now() WHERE action_key = :key AND absent_at IS NULL")

_NEWER = text("""
    SELECT EXISTS (SELECT FROM actions WHERE record_key = :record_key AND tool = :tool
                   AND run_version > :run_version AND state IN ('sent', 'unknown', 'confirmed'))
""")

_SUPERSEDE = text("""
    UPDATE actions SET state = 'superseded', settled_at = now()
    WHERE record_key = :record_key AND tool = :tool AND run_version < :run_version AND state = 'planned'
    RETURNING action_key
""")

_OPEN = text("""
    SELECT * FROM actions a
    WHERE state = ANY(:states) AND sent_at < now() - make_interval(secs => :quiet)
      AND NOT EXISTS (SELECT FROM jobs WHERE id = a.job_id AND state = 'leased' AND lease_until > now())
    ORDER BY sent_at LIMIT :limit
""").bindparams(bindparam("states", type_=ARRAY(Text)))


async def plan(session: Session, action: PlannedAction) -> bool:
    """Stores an action as planned; False if its key exists already."""
    new = insert(actions).values(**action._asdict()).on_conflict_do_nothing().returning(actions.c.action_key)
    return (await session.execute(new)).first() is not None


async def get(session: Session, key: UUID) -> dict[str, Any] | None:
    """All columns of an action."""
    found = (await session.execute(select(actions).where(actions.c.action_key == key))).mappings().first()
    return dict(found) if found else None


async def send(session: Session, key: UUID, *, job_id: UUID | None, token: int | None) -> bool:
    """Marks an action as sent, before the socket is written; False if the lease is lost or it is settled."""
    values = {"key": key, "job_id": job_id, "token": token}
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


async def not_executed(session: Session, key: UUID, error: str) -> None:
    """The write was clearly not executed: it is planned again."""
    await session.execute(_BACK_TO_PLANNED, {"key": key, "error": error})


async def doubt(session: Session, key: UUID, error: str) -> bool:
    """The write may or may not have been executed: only reading back tells. False if that was known before."""
    return (await session.execute(_DOUBT, {"key": key, "error": error})).rowcount == 1


async def newer_was_sent(session: Session, record_key: UUID, tool: str, run_version: int) -> bool:
    """True if a newer version of the same write left the house."""
    values = {"record_key": record_key, "tool": tool, "run_version": run_version}
    return bool((await session.execute(_NEWER, values)).scalar_one())


async def seen_absent(session: Session, key: UUID) -> None:
    """Reading back found nothing, for the first time at `absent_at`."""
    await session.execute(_ABSENT, {"key": key})


async def supersede(session: Session, action: PlannedAction) -> Sequence[UUID]:
    """Ends older writes of the same kind to the same record that were never sent."""
    values = {"record_key": action.record_key, "tool": action.tool, "run_version": action.run_version}
    return (await session.execute(_SUPERSEDE, values)).scalars().all()


async def open_actions(session: Session, *, quiet: float, limit: int = 100) -> list[dict[str, Any]]:
    """Writes whose outcome is open for more than `quiet` seconds and whose job nobody is working on."""
    values = {"states": ["sent", "unknown"], "quiet": quiet, "limit": limit}
    return [dict(row) for row in (await session.execute(_OPEN, values)).mappings()]
