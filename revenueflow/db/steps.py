"""Queries on checkpoints, and on the evidence and claims that steps leave behind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Table, delete
from uuid_utils.compat import uuid5

from revenueflow.db.direct import Connection
from revenueflow.db.jobs import ADVANCE, Lease, make_next
from revenueflow.db.models import claims, evidence, steps
from revenueflow.db.rows import encoded, insert
from revenueflow.db.session import Session
from revenueflow.domain.claim import JudgedClaim
from revenueflow.domain.evidence import Evidence


class Checkpoint(NamedTuple):
    """The result of a finished step; `output` is JSON."""

    name: str
    step_version: int
    input_sha256: bytes
    output: str


class Ended(NamedTuple):
    """Steps of one run that have ended: what is known of each, and when it was started.

    `next_step` is None at the end of the run; `events` are audit events as `trail.row` makes them.
    """

    lease: Lease
    next_step: str | None
    checkpoints: Sequence[tuple[Checkpoint, datetime]]
    events: Sequence[dict[str, Any]] = ()


_FINISHED = "SELECT name, step_version, input_sha256, output FROM steps WHERE job_id = $1"
# Everything that every step needs, in one round trip.
_END = f"""{ADVANCE}, recorded AS (
        INSERT INTO steps (job_id, name, step_version, input_sha256, output, started_at)
        SELECT job_id, name, step_version, input_sha256, output::jsonb, started_at
        FROM unnest($4::uuid[], $5::text[], $6::int[], $7::bytea[], $8::text[], $9::timestamptz[])
            AS new(job_id, name, step_version, input_sha256, output, started_at) JOIN moved ON moved.id = new.job_id
        ON CONFLICT (job_id, name) DO UPDATE SET step_version = excluded.step_version, output = excluded.output,
            input_sha256 = excluded.input_sha256, started_at = excluded.started_at, finished_at = now()
    ), processed AS (
        UPDATE leads SET status = 'processed', processed_at = now(), updated_at = now()
        WHERE id = ANY(ARRAY(SELECT lead_id FROM moved WHERE state = 'done')) AND erased_at IS NULL
    )
    SELECT moved.*, (
        SELECT audit_append(coalesce(jsonb_agg(event::jsonb), '[]'))
        FROM unnest($10::uuid[], $11::text[]) AS told(job_id, event) JOIN moved ON moved.id = told.job_id)
    FROM moved
"""  # noqa: S608 constants

_FORGET = "DELETE FROM {} USING unnest($1::uuid[], $2::uuid[]) AS run(lead, job) WHERE lead_id = lead AND job_id = job"


async def finished(connection: Connection, job_id: UUID) -> dict[str, Checkpoint]:
    """The checkpoints of a job, by the step's name."""
    return {row["name"]: Checkpoint(*row) for row in await connection.fetch(_FINISHED, job_id)}


async def end(connection: Connection, ended: Sequence[Ended]) -> set[UUID]:
    """Stores checkpoints, each in place of one by an older version, with their audit events; names the step that comes
    next and forgets the attempts, or ends the run and what is done about the lead.

    A run that ends makes the next job if a newer version was wanted meanwhile: a second statement. Returns the ids of
    the jobs whose lease still holds; the others are left as they are.
    """
    leases = [(one.lease.job_id, one.lease.token, one.next_step) for one in ended]
    kept = [(one.lease.job_id, *checkpoint, time) for one in ended for checkpoint, time in one.checkpoints]
    told = [(one.lease.job_id, encoded(event)) for one in ended for event in one.events]
    columns = (*_columns(leases, 3), *_columns(kept, 6), *_columns(told, 2))
    moved = await connection.fetch(_END, *columns)
    await make_next(connection, moved)
    return {row["id"] for row in moved}


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> Sequence[Sequence[Any]]:
    return tuple(zip(*rows, strict=True)) if rows else [()] * width


async def add_evidence(connection: Connection, found: Sequence[tuple[Lease, Sequence[Evidence]]]) -> None:
    """Stores the evidence of runs in its order, in place of what an earlier try of the step left."""
    rows = [
        {
            "lead_id": lease.lead_id,
            "job_id": lease.job_id,
            "ordinal": ordinal,
            **one.model_dump(),
            "trust": one.trust.value,
        }
        for lease, every in found
        for ordinal, one in enumerate(every, 1)
    ]
    await _replace(connection, evidence, rows)


async def add_claims(connection: Connection, judged: Sequence[tuple[Lease, Sequence[JudgedClaim]]]) -> None:
    """Stores the claims of runs with their verdicts, in place of what an earlier try of the step left."""
    rows = [_claim_row(lease.lead_id, lease.job_id, one) for lease, every in judged for one in every]
    await _replace(connection, claims, rows)


async def _replace(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        runs = {(row["lead_id"], row["job_id"]) for row in rows}
        await connection.execute(_FORGET.format(table.name), *zip(*runs, strict=True))
        await connection.execute(insert(table, tuple(rows[0])), encoded(rows))


async def forget(session: Session, job_ids: Sequence[UUID]) -> None:
    """Drops the checkpoints of jobs that begin again."""
    await session.execute(delete(steps).where(steps.c.job_id.in_(job_ids)))


def claim_id(job_id: UUID, ref: str) -> UUID:
    """The id under which a claim (C1…Cn of a run) is known outside of it."""
    return uuid5(job_id, ref)


def _claim_row(lead_id: UUID, job_id: UUID, judged: JudgedClaim) -> dict[str, Any]:
    claim, verdict = judged.claim, judged.verdict
    return {
        "id": claim_id(job_id, claim.id),
        "lead_id": lead_id,
        "job_id": job_id,
        "ref": claim.id,
        "field": claim.field.value,
        "value": claim.value,
        "statement": claim.statement,
        "citations": [citation.model_dump() for citation in claim.citations],
        "verdict": verdict.verdict.value,
        "score": verdict.score,
        "decided_by": verdict.decided_by,
        "expected": verdict.expected,
        "found": verdict.found,
        "supporting": list(verdict.citations),
        "opposing": list(verdict.anti_citations),
        "spans": [span.model_dump() for span in verdict.spans],
    }
