"""Queries on checkpoints, and on the evidence and claims that steps leave behind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from sqlalchemy import Table, delete

from revenueflow.db.direct import Connection
from revenueflow.db.jobs import Lease
from revenueflow.db.models import claims, evidence, steps
from revenueflow.db.rows import array, insert
from revenueflow.db.session import Session
from revenueflow.domain.claim import JudgedClaim
from revenueflow.domain.evidence import Evidence


class Checkpoint(NamedTuple):
    """The result of a finished step; `output` is JSON."""

    name: str
    step_version: int
    input_sha256: bytes
    output: str


_FINISHED = "SELECT name, step_version, input_sha256, output FROM steps WHERE job_id = $1"
_RECORD = """
    INSERT INTO steps (job_id, name, step_version, input_sha256, output, started_at)
    SELECT job_id, name, step_version, input_sha256, output::jsonb, started_at
    FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bytea[], $5::text[], $6::timestamptz[])
        AS new(job_id, name, step_version, input_sha256, output, started_at)
    ON CONFLICT (job_id, name) DO UPDATE SET step_version = excluded.step_version, output = excluded.output,
        input_sha256 = excluded.input_sha256, started_at = excluded.started_at, finished_at = now()
"""

_FORGET = "DELETE FROM {} USING unnest($1::uuid[], $2::uuid[]) AS run(lead, job) WHERE lead_id = lead AND job_id = job"


async def finished(connection: Connection, job_id: UUID) -> dict[str, Checkpoint]:
    """The checkpoints of a job, by the step's name."""
    return {row["name"]: Checkpoint(*row) for row in await connection.fetch(_FINISHED, job_id)}


async def record(connection: Connection, ended: Sequence[tuple[UUID, Checkpoint, datetime]]) -> None:
    """Stores checkpoints (job id, checkpoint, when it was started), each in place of one by an older version."""
    ids, checkpoints, times = zip(*ended, strict=True)
    await connection.execute(_RECORD, ids, *zip(*checkpoints, strict=True), times)


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
        await connection.execute(insert(table, tuple(rows[0])), array(rows))


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
    }
