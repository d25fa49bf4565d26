"""Queries that make a new run of a lead out of one that has ended, so that what was paid for is not paid again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, text

from revenueflow.db.session import Session

# Begins at `step` if the run that is named was the last one; what came after it was made from something else. A live
# run only learns that another is wanted after it.
_AGAIN = text("""
    INSERT INTO jobs (lead_id, trace_id, run_version, wanted_version, step)
    SELECT :lead_id, :trace_id, last.version + 1, last.version + 1,
           CASE WHEN last.version = :run_version THEN :step ELSE 'capture' END
    FROM (SELECT coalesce(max(run_version), 0) AS version FROM jobs WHERE lead_id = :lead_id) last
    ON CONFLICT (lead_id) WHERE state IN ('ready', 'leased', 'parked')
    DO UPDATE SET wanted_version = jobs.wanted_version + 1
    RETURNING id, run_version, step, xmax = 0 AS made
""")
# What an analysis cost stands on the run that paid for it.
_STEPS = text("""
    INSERT INTO steps (job_id, name, step_version, input_sha256, output, started_at, finished_at)
    SELECT :fresh, name, step_version, input_sha256,
           jsonb_set(jsonb_set(output, '{analysis,cost_usd}', '0', false), '{analysis,cached}', 'true', false),
           started_at, finished_at
    FROM steps WHERE job_id = :old AND name = ANY(:names)
""").bindparams(bindparam("names", type_=ARRAY(Text)))
# What it cost stands where it was paid.
_EVIDENCE = text("""
    INSERT INTO evidence (id, lead_id, job_id, ordinal, provider, signal, path, value, trust, fetched_at, lookup)
    SELECT uuidv7(), lead_id, :fresh, ordinal, provider, signal, path, value, trust, fetched_at, lookup
    FROM evidence WHERE job_id = :old
""")


class Again(NamedTuple):
    """The run that is to come: begun now (`made`), at `step`; or after the live one."""

    job_id: UUID
    run_version: int
    step: str
    made: bool


async def again(session: Session, ended: dict[str, Any], step: str) -> Again:
    """Wants a run after the one with this lead_id, trace_id and run_version, from `step` on if that was the last."""
    return Again(*(await session.execute(_AGAIN, {**ended, "step": step})).one())


async def carry_over(session: Session, old: UUID, fresh: UUID, names: Sequence[str]) -> None:
    """Gives a run the checkpoints of these steps, and the evidence, of an older one."""
    await session.execute(_STEPS, {"old": old, "fresh": fresh, "names": list(names)})
    await session.execute(_EVIDENCE, {"old": old, "fresh": fresh})
