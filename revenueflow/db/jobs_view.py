"""Reading jobs, for operators."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, null, select, tuple_

from revenueflow.db.dead_letters import STOPPED, Chosen, conditions, fingerprint, is_poison, stopped_at
from revenueflow.db.models import jobs, leads, steps
from revenueflow.db.session import Session

_SHOWN = ("id", "lead_id", "run_version", "wanted_version", "state", "step", "run_at", "attempt", "lease_owner",
          "lease_until", "error_class", "last_error", "trace_id", "created_at", "finished_at")  # fmt: skip
_is_stopped = jobs.c.state.in_(STOPPED)
_COLUMNS = (
    *(jobs.c[name] for name in _SHOWN),
    case((_is_stopped, stopped_at), else_=null()).label("stopped_at"),
    case((_is_stopped, fingerprint), else_=null()).label("fingerprint"),
    (_is_stopped & is_poison).label("poison"),
)


async def listed(
    session: Session, chosen: Chosen, *, limit: int, before: tuple[datetime, UUID] | None = None
) -> list[dict[str, Any]]:
    """The chosen jobs, newest first, by keyset: `before` is (created_at, id) of the last one of the page before."""
    query = select(*_COLUMNS).where(*conditions(chosen)).order_by(jobs.c.created_at.desc(), jobs.c.id.desc())
    if before:
        query = query.where(tuple_(jobs.c.created_at, jobs.c.id) < tuple_(*before))
    return [dict(row) for row in (await session.execute(query.limit(limit))).mappings()]


async def one(session: Session, job_id: UUID) -> dict[str, Any] | None:
    """A job with its finished steps (name, version, times)."""
    found = (await session.execute(select(*_COLUMNS).where(jobs.c.id == job_id))).mappings().first()
    if found is None:
        return None
    columns = (steps.c.name, steps.c.step_version, steps.c.started_at, steps.c.finished_at)
    done = await session.execute(select(*columns).where(steps.c.job_id == job_id).order_by(steps.c.finished_at))
    return dict(found) | {"steps": [dict(row) for row in done.mappings()]}


async def stopped_of_lead(session: Session, lead_id: UUID) -> list[UUID]:
    """The newest parked or dead job of a lead, if that is where it stands."""
    query = select(jobs.c.id, jobs.c.state).where(jobs.c.lead_id == lead_id).order_by(jobs.c.created_at.desc()).limit(1)
    return [row.id for row in await session.execute(query) if row.state in STOPPED]


async def done_of_lead(session: Session, lead_id: UUID) -> dict[str, Any] | None:
    """The newest job of a lead (id, lead_id, run_version, trace_id), if it is done and nobody erased the lead."""
    columns = (jobs.c.id, jobs.c.lead_id, jobs.c.run_version, jobs.c.trace_id, jobs.c.state)
    query = (
        select(*columns).outerjoin(leads, leads.c.id == jobs.c.lead_id)
        .where(jobs.c.lead_id == lead_id, leads.c.erased_at.is_(None))
        .order_by(jobs.c.created_at.desc(), jobs.c.id.desc())
    )  # fmt: skip
    found = (await session.execute(query.limit(1))).mappings().first()
    return dict(found) if found and found["state"] == "done" else None
