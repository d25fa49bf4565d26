"""Reading jobs, for operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from revenueflow.db.models import jobs, steps
from revenueflow.db.session import Session

_SHOWN = ("id", "lead_id", "run_version", "wanted_version", "state", "step", "run_at", "attempt", "lease_owner",
          "lease_until", "error_class", "last_error", "trace_id", "created_at", "finished_at")  # fmt: skip


async def listed(session: Session, *, states: Sequence[str], limit: int) -> list[dict[str, Any]]:
    """Jobs in one of `states`, newest first; all states if there is none."""
    query = select(*(jobs.c[name] for name in _SHOWN)).order_by(jobs.c.created_at.desc()).limit(limit)
    if states:
        query = query.where(jobs.c.state.in_(states))
    return [dict(row) for row in (await session.execute(query)).mappings()]


async def one(session: Session, job_id: UUID) -> dict[str, Any] | None:
    """A job with its finished steps (name, version, times)."""
    query = select(*(jobs.c[name] for name in _SHOWN)).where(jobs.c.id == job_id)
    found = (await session.execute(query)).mappings().first()
    if found is None:
        return None
    columns = (steps.c.name, steps.c.step_version, steps.c.started_at, steps.c.finished_at)
    done = await session.execute(select(*columns).where(steps.c.job_id == job_id).order_by(steps.c.finished_at))
    return dict(found) | {"steps": [dict(row) for row in done.mappings()]}


async def stopped_of_lead(session: Session, lead_id: UUID) -> list[UUID]:
    """The newest parked or dead job of a lead, if that is where it stands."""
    query = select(jobs.c.id, jobs.c.state).where(jobs.c.lead_id == lead_id).order_by(jobs.c.created_at.desc()).limit(1)
    return [row.id for row in await session.execute(query) if row.state in ("parked", "dead")]


async def stopped(session: Session, *, state: str, limit: int) -> list[UUID]:
    """Ids of jobs in `state` (parked or dead), oldest first."""
    query = select(jobs.c.id).where(jobs.c.state == state).order_by(jobs.c.created_at).limit(limit)
    return list((await session.execute(query)).scalars())
