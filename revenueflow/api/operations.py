"""For the SRE: is it alive, is it ready, how is it doing."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import orjson
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from revenueflow import __version__
from revenueflow.api.deps import AppState, State
from revenueflow.audit import switches
from revenueflow.db import approvals, controls, overview, source_cursors, timers
from revenueflow.domain.action import ActionState
from revenueflow.domain.lead import Tier
from revenueflow.domain.review import ReviewKind
from revenueflow.errors import Unavailable
from revenueflow.telemetry import metrics

router = APIRouter(tags=["operations"])
SCRAPE_SECONDS = 1.5
"""How long a scrape waits for Postgres: less than Prometheus waits for us."""
JOB_STATES = ("ready", "leased", "parked", "dead")


@router.get("/livez", operation_id="livez")
async def livez() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", operation_id="readyz")
async def readyz(state: AppState) -> Response:
    """A lead could be kept now: Postgres answers, or the spool takes it. Redis and the CRM are not asked."""
    postgres, spool = await _postgres_answers(state), _spool(state)
    ready = postgres or spool == "ok"
    body = {
        "status": "ready" if ready else "not ready",
        "postgres": "ok" if postgres else "away",
        "spool": spool,
    }
    return Response(orjson.dumps(body), 200 if ready else 503, media_type="application/json")


@router.get("/health", operation_id="health")
async def health(state: AppState) -> dict[str, Any]:
    """What the process sees of its neighbours. For people; probes use /livez and /readyz."""
    postgres = await _postgres_answers(state)
    return {
        "version": __version__,
        "status": "ok" if postgres else "degraded",
        "postgres": "ok" if postgres else "away",
        "redis": "ok" if await _redis_answers(state) else "away",
        "spool": _spool(state),
        "spooled_bytes": state.spool.state().bytes if state.spool else 0,
        "controls": await _controls(state) if postgres else [],
    }


@router.get("/metrics", operation_id="metrics")
async def scrape(state: AppState) -> Response:
    """Prometheus text format; what is counted in Postgres is counted now."""
    with suppress(Unavailable, TimeoutError):  # the counters of this process are worth having without Postgres too
        async with asyncio.timeout(SCRAPE_SECONDS):
            await refresh(state)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def refresh(state: State) -> None:
    """Sets the gauges that are counted in Postgres."""
    async with state.database.transaction() as session:
        jobs, actions = await overview.job_counts(session), await overview.action_counts(session)
        oldest = await overview.oldest_ready(session)
        sources, reviews = await source_cursors.every(session), await overview.open_reviews(session)
        asked, longest = await approvals.waiting(session)
        overdue, late = await timers.waiting(session), await timers.late(session)
        stopped = {one["name"]: one["seconds"] for one in await controls.current(session)}
        kept = await overview.retention_age(session)
    for switch in switches.ALL:
        metrics.stopped.labels(switch.name).set(stopped.get(switch.name, 0))
    metrics.retention_age.set(kept)
    metrics.approvals_pending.set(asked)
    metrics.approvals_oldest.set(longest)
    for name in JOB_STATES:
        metrics.queue_depth.labels(name).set(jobs.get(name, 0))
    metrics.jobs_dead.set(jobs.get("dead", 0))
    for state_name in ActionState:
        metrics.actions.labels(state_name.value).set(actions.get(state_name.value, 0))
    metrics.oldest_ready.clear()
    for step, seconds in oldest.items():
        metrics.oldest_ready.labels(step).set(seconds)
    for kind in ReviewKind:
        metrics.reviews_open.labels(kind.value).set(reviews.get(kind, (0, 0.0))[0])
    metrics.reviews_oldest.set(max((age for _, age in reviews.values()), default=0.0))
    metrics.sla_late.set(late)
    for tier in Tier:
        metrics.sla_overdue.labels(tier.value).set(overdue.get(tier, 0))
    for source in sources:
        if source["age"] is not None:
            metrics.reconcile_age.labels(source["source"]).set(source["age"])


async def _postgres_answers(state: State) -> bool:
    try:
        async with asyncio.timeout(1), state.database.transaction() as session:
            await session.execute(text("SELECT 1"))
    except (Unavailable, TimeoutError):
        return False
    return True


def _spool(state: State) -> str:
    if state.spool is None:
        return "none"
    return "ok" if state.spool.healthy else "full or failing"


async def _redis_answers(state: State) -> bool:
    try:
        async with asyncio.timeout(1):
            await state.doorbell.waiting()
    except (Unavailable, TimeoutError):
        return False
    return True


async def _controls(state: State) -> list[dict[str, Any]]:
    async with state.database.transaction() as session:
        return await controls.current(session)
