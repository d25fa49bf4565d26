"""Queries on the queue of analyses that a person must look at. One item for each lead and version of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import orjson
from sqlalchemy import bindparam, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB

from revenueflow.db.direct import Connection
from revenueflow.db.jobs import Lease
from revenueflow.db.models import claims, evidence, jobs, leads, reviews
from revenueflow.db.session import Session
from revenueflow.domain.review import Decided, Questions, ReviewState

_DECIDED = """
    SELECT decisions FROM reviews WHERE lead_id = $1 AND state = 'decided' ORDER BY run_version
"""
# What an earlier run left open nobody needs to decide any more: the later run is judged by itself. An item that was
# decided stays as it is.
_JUDGED = """
    WITH new AS (
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::text[])
            AS one(id, lead_id, job_id, run_version, kind, questioned)
    ), closed AS (
        UPDATE reviews SET state = 'superseded', closed_at = now() FROM new
        WHERE reviews.lead_id = new.lead_id AND state = 'open'
          AND (reviews.run_version < new.run_version OR reviews.run_version = new.run_version AND new.kind IS NULL)
    )
    INSERT INTO reviews (id, lead_id, job_id, run_version, kind, questioned)
    SELECT id, lead_id, job_id, run_version, kind, questioned::jsonb FROM new WHERE kind IS NOT NULL
    ON CONFLICT (lead_id, run_version) DO UPDATE SET job_id = excluded.job_id, kind = excluded.kind,
        questioned = excluded.questioned, state = 'open', closed_at = NULL, created_at = now()
    WHERE reviews.state <> 'decided'
"""
_LIVE = text("SELECT id FROM jobs WHERE lead_id = :lead_id AND state IN ('ready', 'leased', 'parked') FOR UPDATE")
_DECIDE = text("""
    UPDATE reviews SET state = 'decided', decision = :decision, reason = :reason, decisions = :decisions,
        decided_by = :decided_by, closed_at = now()
    WHERE id = :id AND state = 'open'
""").bindparams(bindparam("decisions", type_=JSONB))


class Judged(NamedTuple):
    """A run that was judged, and what it leaves to a person."""

    lease: Lease
    questions: Questions


def review_id(lead_id: UUID, run_version: int) -> UUID:
    """The id of the item of a lead's run: known before it is written."""
    return uuid5(lead_id, f"review/{run_version}")


async def judged(connection: Connection, told: Sequence[Judged]) -> None:
    """Opens the items of runs that leave something to a person, and closes what earlier runs of the leads left open.

    Called with all that were judged; a first run that leaves nothing costs nothing.
    """
    rows = [
        (review_id(lease.lead_id, lease.run_version), lease.lead_id, lease.job_id, lease.run_version,
         questions.kind, orjson.dumps(questions.questioned).decode())
        for lease, questions in told if questions.kind or lease.run_version > 1
    ]  # fmt: skip
    if rows:
        await connection.execute(_JUDGED, *zip(*rows, strict=True))


async def decisions(connection: Connection, lead_id: UUID) -> list[Decided]:
    """What people have decided about claims of a lead, the latest last."""
    rows = await connection.fetch(_DECIDED, lead_id)
    return [Decided.model_validate(one) for row in rows for one in orjson.loads(row["decisions"])]


async def page(
    session: Session,
    *,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
    state: ReviewState | None = ReviewState.OPEN,
    lead_id: UUID | None = None,
) -> list[dict[str, Any]]:
    """Items with the lead's company, oldest first, by keyset: `after` is (created_at, id) of the last one before."""
    columns = (*reviews.c, leads.c.company, leads.c.tier, leads.c.campaign_id)
    query = select(*columns).join(leads, leads.c.id == reviews.c.lead_id).order_by(reviews.c.created_at, reviews.c.id)
    if after:
        query = query.where(tuple_(reviews.c.created_at, reviews.c.id) > tuple_(*after))
    if state:
        query = query.where(reviews.c.state == state.value)
    if lead_id:
        query = query.where(reviews.c.lead_id == lead_id)
    return [dict(row) for row in (await session.execute(query.limit(limit))).mappings()]


async def one(session: Session, id_: UUID) -> dict[str, Any] | None:
    """All columns of an item."""
    found = (await session.execute(select(reviews).where(reviews.c.id == id_))).mappings().first()
    return dict(found) if found else None


async def locked(session: Session, id_: UUID, lead_id: UUID) -> dict[str, Any] | None:
    """The item, held until the transaction ends: of two people who decide, one comes after the other.

    The lead's live run is locked first, as the runner does it: the two never wait for each other in a circle.
    """
    await session.execute(_LIVE, {"lead_id": lead_id})
    query = select(reviews).where(reviews.c.id == id_).with_for_update()
    found = (await session.execute(query)).mappings().first()
    return dict(found) if found else None


async def decide(session: Session, id_: UUID, values: Mapping[str, Any]) -> None:
    """Closes an open item: `decision`, `reason`, `decisions` (as `Decided`, JSON), `decided_by`."""
    await session.execute(_DECIDE, {"id": id_, **values})


async def claims_of(session: Session, job_id: UUID) -> list[dict[str, Any]]:
    """The judged claims of a run, in order."""
    query = select(claims).where(claims.c.job_id == job_id)
    rows = [dict(row) for row in (await session.execute(query)).mappings()]
    return sorted(rows, key=lambda row: int(row["ref"][1:]))


async def evidence_of(session: Session, job_id: UUID) -> list[dict[str, Any]]:
    """The evidence of a run, in order."""
    query = select(evidence).where(evidence.c.job_id == job_id).order_by(evidence.c.ordinal)
    return [dict(row) for row in (await session.execute(query)).mappings()]


async def forget(session: Session, job_ids: Sequence[UUID]) -> None:
    """Closes the open items of runs that are judged again."""
    query = update(reviews).where(reviews.c.job_id.in_(job_ids), reviews.c.state == "open")
    await session.execute(query.values(state="superseded", closed_at=func.now()))


async def run_of(session: Session, job_id: UUID) -> dict[str, Any] | None:
    """The run's lead_id, run_version and trace_id."""
    query = select(jobs.c.lead_id, jobs.c.run_version, jobs.c.trace_id).where(jobs.c.id == job_id)
    found = (await session.execute(query)).mappings().first()
    return dict(found) if found else None


async def decided_since(session: Session, since: datetime) -> list[dict[str, Any]]:
    """Decided items of leads that are not erased, oldest first: job_id, decisions; email, phone, name of the lead."""
    columns = (reviews.c.job_id, reviews.c.decisions, leads.c.email, leads.c.phone, leads.c.name)
    query = select(*columns).join(leads, leads.c.id == reviews.c.lead_id)
    wanted = query.where(reviews.c.state == "decided", reviews.c.closed_at >= since, leads.c.erased_at.is_(None))
    return [dict(row) for row in (await session.execute(wanted.order_by(reviews.c.closed_at))).mappings()]
