"""What is done every so often, by whichever worker comes first: reading the sources for what they could not deliver.

Any number of workers may run it. An advisory lock in Postgres decides who reads a source, and the time of the last
pull whether it is due: one that ends while it reads leaves its lock and its cursor for the next.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing

from revenueflow.db.direct import Direct
from revenueflow.errors import RevenueFlowError, UpstreamError
from revenueflow.privacy.identity_file import identity_key
from revenueflow.settings import Settings
from revenueflow.sources import configured
from revenueflow.sources.ingress import Ingress
from revenueflow.sources.reconcile import Puller, reconcile
from revenueflow.telemetry import logs

LONGEST_REST = 30.0
"""Seconds between two looks at what is due."""
CONNECTIONS = 4

log = logs.get("schedule")


async def run(settings: Settings) -> None:
    """Runs until cancelled. Without a source that is to be read it ends at once."""
    if not configured.is_any(settings):
        return
    async with AsyncExitStack() as stack:
        direct = await stack.enter_async_context(Direct(settings.database, application="schedule", size=CONNECTIONS))
        key = identity_key(settings.keys)
        ingress = await stack.enter_async_context(aclosing(Ingress(direct, key)))
        pullers = configured.pullers(settings, direct, key)
        for puller in pullers:
            stack.push_async_callback(puller.aclose)
        while True:
            await turn(pullers, direct, ingress, settings.reconcile.every)
            await asyncio.sleep(min(settings.reconcile.every, LONGEST_REST))


async def turn(pullers: Sequence[Puller], direct: Direct, ingress: Ingress, every: float) -> None:
    """Reads each source that is due (last read `every` seconds ago). One that fails does not keep the others."""
    for puller in pullers:
        try:
            pulled = await reconcile(puller, direct, ingress, secrets.token_hex(16), every=every)
            if pulled and pulled.found:
                log.warning("gaps_found", source=puller.source, found=pulled.found, closed=pulled.closed)
        except UpstreamError as error:
            log.warning("pull_failed", source=puller.source, reason=error.reason)
        except RevenueFlowError as error:
            log.warning("pull_failed", source=puller.source, reason=error.code)
