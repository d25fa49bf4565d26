"""What a changed profile would have done to leads that are stored: who changes tier, and how scores are spread."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from revenueflow.db import campaigns, scores
from revenueflow.db.direct import Direct
from revenueflow.db.scores import Which
from revenueflow.domain.lead import Tier
from revenueflow.domain.scoring import Score
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.errors import Fault, InvalidInput
from revenueflow.pipeline.rescore import Known, Shelf
from revenueflow.scoring.profile import Profile

PAGE = 200
SLICE = 20
"""Rows that are scored before others of this process get a word in."""
BIN = 10
MOST_MOVES = 1000
"""Leads that are named one by one; all are counted."""


class Move(NamedTuple):
    """A lead whose tier changes."""

    lead_id: UUID
    company: str | None
    score_before: int
    score_after: int
    tier_before: Tier
    tier_after: Tier
    because: str


class Backtest:
    """Looks at leads one by one, up to `most`; holds no more than MOST_MOVES of them."""

    def __init__(self, profile: Profile, vocabulary: Vocabulary, most: int | None = None) -> None:
        self._most = most
        self._profile = profile
        self._vocabulary = vocabulary
        self._counts: Counter[str] = Counter()
        self._tiers: dict[str, Counter[str]] = {"before": Counter(), "after": Counter()}
        self._bins: dict[str, Counter[int]] = {"before": Counter(), "after": Counter()}
        self._changes: Counter[str] = Counter()
        self._looked = 0
        self.moves: list[Move] = []
        self.complete = True

    def add(self, lead: Known | None) -> None:
        """Scores a lead by the profile. One that can't be read, or has no score yet, is left out but looked at."""
        if self._looked == self._most:
            self.complete = False
            return
        self._looked += 1
        if lead is None:
            return
        if lead.score is None or lead.tier is None:
            self._counts["unscored"] += 1
            return
        fresh = lead.by(self._profile, self._vocabulary)
        self._counts["leads"] += 1
        self._counts["score_changed"] += fresh.total != lead.score
        for when, total, tier in (("before", lead.score, lead.tier), ("after", fresh.total, fresh.tier)):
            self._tiers[when][tier.value] += 1
            self._bins[when][min(total, 99) // BIN] += 1
        if fresh.tier is not lead.tier:
            self._counts["tier_changed"] += 1
            self._changes[f"{lead.tier.value}->{fresh.tier.value}"] += 1
            if len(self.moves) < MOST_MOVES:
                because = why(lead.tier, lead.score, orjson.loads(lead.factors), fresh, self._profile)
                self.moves.append(
                    Move(lead.id, lead.facts.company, lead.score, fresh.total, lead.tier, fresh.tier, because)
                )

    def told(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        names = [f"{low * BIN}-{low * BIN + BIN - 1 if low < 9 else 100}" for low in range(10)]
        return {
            "profile": self._profile.label,
            **{name: self._counts[name] for name in ("leads", "unscored", "score_changed", "tier_changed")},
            "tiers": {when: {tier.value: counts[tier.value] for tier in Tier} for when, counts in self._tiers.items()},
            "complete": self.complete,
            "changes": dict(self._changes.most_common()),
            "histogram": {
                when: {name: counts[place] for place, name in enumerate(names)} for when, counts in self._bins.items()
            },
            "moves": [move._asdict() for move in self.moves],
        }


def why(tier: Tier, total: int, lines: Sequence[Mapping[str, Any]], fresh: Score, profile: Profile) -> str:
    """Why a score of this tier, total and lines is of another tier now: the limits, or the line that changed most.

    The limits, if the old total would be of the new tier as well. Else, of the lines that go the way of the total, the
    one that goes farthest.
    """
    if profile.tier(total) is fresh.tier:
        return _limits(tier, fresh.tier, profile)
    before = {line["name"]: int(line["points"]) for line in lines}
    after = {line.name: line for line in fresh.factors}
    way = 1 if fresh.total > total else -1

    def change(name: str) -> int:
        return way * ((after[name].points if name in after else 0) - before.get(name, 0))

    name = max(dict.fromkeys((*after, *before)), key=change)
    if name not in after:
        return f"{name} {before[name]} -> none: the profile has no such line"
    was = before.get(name, "none")
    return f"{name} {was} -> {after[name].points}: {after[name].reason[:80]}"


def _limits(before: Tier, after: Tier, profile: Profile) -> str:
    """The limits that the lead is below now, or has reached: from the tier that it had to the one that it has."""
    ranks, least = (Tier.COLD, Tier.WARM, Tier.HOT), {Tier.HOT: profile.tiers.hot, Tier.WARM: profile.tiers.warm}
    low, high = sorted((ranks.index(before), ranks.index(after)))
    return " and ".join(f"{tier.value} begins at {least[tier]} now" for tier in reversed(ranks[low + 1 : high + 1]))


async def run(direct: Direct, shelf: Shelf, backtest: Backtest, which: Which, now: datetime) -> Backtest:
    """Adds the leads that are stored. Raises InvalidInput for a campaign that nobody knows, and Unavailable if Postgres
    does not answer.
    """
    if which.campaign_id is not None:
        async with direct.connection() as connection:
            if not await campaigns.known_to(connection, which.campaign_id):
                raise InvalidInput(campaigns.NOT_KNOWN, faults=(Fault("/campaign_id", campaigns.NOT_KNOWN),))
    async for rows in _stored(direct, which):
        # A page takes tenths of a second of the processor.
        for begin in range(0, len(rows), SLICE):
            await asyncio.to_thread(_add, backtest, shelf, rows[begin : begin + SLICE], now)
        if not backtest.complete:
            break
    return backtest


def _add(backtest: Backtest, shelf: Shelf, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    for row in rows:
        backtest.add(shelf.known(row, now))


async def _stored(direct: Direct, which: Which) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    cursor = None
    while True:
        async with direct.connection() as connection:
            rows = await scores.stored(connection, which, after=cursor, limit=PAGE)
        if not rows:
            return
        cursor = rows[-1]["id"]
        yield rows
