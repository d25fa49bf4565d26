"""Once a day what is past its time is deleted, by whichever worker comes first. Only counts are told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from revenueflow.db import retention
from revenueflow.db.direct import Direct
from revenueflow.errors import Unavailable
from revenueflow.pipeline import aging
from revenueflow.privacy.identity import IdentityKey
from revenueflow.privacy.retention import RetentionRules
from revenueflow.telemetry import logs, metrics

NAME = "retention"
LEADS = "leads"
PAUSE = 60.0
"""Seconds between two looks at whether it is due."""

log = logs.get("retention")


async def run(direct: Direct, key: IdentityKey, rules: RetentionRules, *, pause: float = PAUSE) -> None:
    """Runs until cancelled. One that ends half-way leaves the rest for the next round."""
    metrics.retention_every.set(rules.every_hours * 3600)
    while True:
        await asyncio.sleep(pause)
        try:
            async with direct.connection() as connection:
                ours = await retention.begin(connection, NAME, rules.every_hours * 3600)
            if ours:
                log.info("past_their_time", **await turn(direct, rules, key))
        except Unavailable as error:
            log.warning("retention_failed", detail=error.detail)


async def turn(
    direct: Direct, rules: RetentionRules, key: IdentityKey | None = None, *, dry_run: bool = False
) -> dict[str, int]:
    """Deletes what is past its time, or tells only; rows by the name of the setting. Raises Unavailable.

    Leads are erased only with the `key` that tells which of them are one person.
    """
    done = {
        name: await _of_kind(direct, name, days, rules.batch, dry_run=dry_run)
        for name, days in rules.days.model_dump().items()
        if days
    }
    leads = rules.leads.days.model_dump()
    if any(leads.values()):
        done[LEADS] = await _of_leads(direct, rules, key, leads, dry_run=dry_run)
    if not dry_run:
        async with direct.connection() as connection:
            await retention.ended(connection, NAME)
    return done


async def _of_leads(
    direct: Direct, rules: RetentionRules, key: IdentityKey | None, days: Mapping[str, int], *, dry_run: bool
) -> int:
    if dry_run or key is None:
        return await aging.count(direct, days, batch=rules.batch)
    total = 0
    async for leads in aging.run(direct, key, days, most=rules.leads.most, batch=rules.batch):
        metrics.retention_rows.labels(LEADS).inc(leads)
        total += leads
    return total


async def _of_kind(direct: Direct, name: str, days: int, batch: int, *, dry_run: bool) -> int:
    total = 0
    for rule in retention.RULES[name]:
        if dry_run:
            total += await retention.count(direct, rule, days, batch)
            continue
        async for done in retention.batches(direct, rule, days, batch):
            metrics.retention_rows.labels(rule.table).inc(done)
            total += done
    return total
