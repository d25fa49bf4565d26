"""After an outage of models: what the rules had to analyse in their place is analysed again.

Any number of workers may run it: a lead is marked as taken by the commit that wants its run, so each is taken once.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

from revenueflow.analysis.base import Analyst
from revenueflow.analysis.paid import Paid
from revenueflow.analysis.pricing import AgainRules
from revenueflow.audit import trail
from revenueflow.db import jobs, reanalyses
from revenueflow.db.direct import Direct
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import Unavailable
from revenueflow.telemetry import logs, metrics

PAUSE = 5.0

log = logs.get("reanalysis")


async def run(direct: Direct, analysts: Sequence[Analyst], rules: AgainRules, *, pause: float = PAUSE) -> None:
    """Runs until cancelled. Without a model it ends at once."""
    first = analysts[0]
    if not isinstance(first, Paid):
        return
    while True:
        await asyncio.sleep(pause)
        try:
            if taken := await turn(direct, first, rules):
                log.info("analysed_again", leads=taken)
        except Unavailable as error:
            log.warning("reanalysis_failed", detail=error.detail)


async def turn(direct: Direct, first: Paid, rules: AgainRules) -> int:
    """Wants a new run of the leads that are due, if the first model is asked at all; how many. Raises Unavailable."""
    if not await first.available():
        return 0
    trace_id = secrets.token_hex(16)
    async with direct.transaction() as connection:
        leads = await reanalyses.take(connection, **rules.model_dump())
        await jobs.want(connection, dict.fromkeys(leads, trace_id))
        entry = AuditEntry("lead.reanalysis_wanted", "done", {"analyst": first.name, "reason": "models_answer_again"})
        await trail.append_rows(connection, [trail.row(trail.Subject(one, None, trace_id), entry) for one in leads])
    metrics.reanalyses.inc(len(leads))
    return len(leads)
