"""What became of each rep's leads: what routing prefers among equals, a few minutes old at most."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable

from revenueflow.db import outcomes
from revenueflow.db.outcomes import Conversion
from revenueflow.db.session import Database
from revenueflow.domain import headcounts
from revenueflow.domain.scoring import LeadFacts
from revenueflow.routing.selection import Outcomes

DAYS = 180
REMEMBERED_SECONDS = 300.0


class TrackRecord:
    """Reads what sales have told now and then. Raises Unavailable when it must be read and Postgres is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read_at = -REMEMBERED_SECONDS
        self._known: list[Conversion] = []
        self._reading = asyncio.Lock()

    async def similar(self, facts: LeadFacts) -> dict[str, Outcomes]:
        """Of each rep, what became of leads that share the industry or the size of this one."""
        async with self._reading:
            if time.monotonic() - self._read_at >= REMEMBERED_SECONDS:
                async with self._database.transaction() as session:
                    self._known = await outcomes.conversions(session, DAYS)
                self._read_at = time.monotonic()
        return similar(self._known, facts)


def similar(known: Iterable[Conversion], facts: LeadFacts) -> dict[str, Outcomes]:
    """Those of the same industry or band of headcount, by rep; what is not known is like nothing."""
    band = headcounts.band(facts.headcount)
    decided: Counter[str] = Counter()
    converted: Counter[str] = Counter()
    for one in known:
        if (facts.industry and one.industry == facts.industry) or (band and one.band == band):
            decided[one.owner_id] += one.decided
            converted[one.owner_id] += one.converted
    return {rep: Outcomes(converted[rep], count) for rep, count in decided.items()}
