"""Queries on checkpoints, and on the evidence and claims that steps leave behind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from revenueflow.db.models import claims, evidence, steps
from revenueflow.db.session import Session
from revenueflow.domain.claim import JudgedClaim
from revenueflow.domain.evidence import Evidence


class Checkpoint(NamedTuple):
    """The result of a finished step."""

    name: str
    step_version: int
    input_sha256: bytes
    output: dict[str, Any]


async def finished(session: Session, job_id: UUID) -> dict[str, Checkpoint]:
    """The checkpoints of a job, by the step's name."""
    columns = (steps.c.name, steps.c.step_version, steps.c.input_sha256, steps.c.output)
    found = await session.execute(select(*columns).where(steps.c.job_id == job_id))
    return {row.name: Checkpoint(*row) for row in found}


async def record(session: Session, job_id: UUID, checkpoint: Checkpoint, started_at: datetime) -> None:
    """Stores a checkpoint, in place of one by an older version of the step."""
    new = insert(steps).values(job_id=job_id, started_at=started_at, **checkpoint._asdict())
    names = ("step_version", "input_sha256", "output", "started_at")
    fresh = {name: new.excluded[name] for name in names} | {"finished_at": func.now()}
    await session.execute(new.on_conflict_do_update(index_elements=[steps.c.job_id, steps.c.name], set_=fresh))


async def add_evidence(session: Session, lead_id: UUID, job_id: UUID, found: Sequence[Evidence]) -> None:
    """Stores the evidence of a run in its order, in place of what an earlier try of the step left."""
    rows = [
        {
            "lead_id": lead_id,
            "job_id": job_id,
            "ordinal": ordinal,
            **one.model_dump(),
            "trust": one.trust.value,
        }
        for ordinal, one in enumerate(found, 1)
    ]
    if rows:
        await session.execute(delete(evidence).where(evidence.c.job_id == job_id))
        await session.execute(insert(evidence), rows)


async def add_claims(session: Session, lead_id: UUID, job_id: UUID, judged: Sequence[JudgedClaim]) -> None:
    """Stores the claims of a run with their verdicts, in place of what an earlier try of the step left."""
    rows = [_claim_row(lead_id, job_id, one) for one in judged]
    if rows:
        await session.execute(delete(claims).where(claims.c.job_id == job_id))
        await session.execute(insert(claims), rows)


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
