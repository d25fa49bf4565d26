"""The offer that a campaign's leads are judged by: one that was stored, else that of offer.toml."""

from __future__ import annotations

import time
from typing import NamedTuple

import orjson

from revenueflow.analysis.offers import Offer, Offers
from revenueflow.db import offers
from revenueflow.db.direct import Direct

REMEMBERED_SECONDS = 5.0
MOST_CAMPAIGNS = 1000


class Current(NamedTuple):
    """What goes into the prompt, and the profile that it names; None where there is none."""

    text: str | None
    profile: str | None


class OfferBook:
    """Looks offers up. What was read is believed for REMEMBERED_SECONDS."""

    def __init__(self, ours: Offers, direct: Direct) -> None:
        self._ours = ours
        self._direct = direct
        self._known: dict[str, tuple[float, Current]] = {}

    async def of(self, campaign_id: str) -> Current:
        """The offer of a campaign. Raises Unavailable if Postgres does not answer."""
        known, now = self._known.get(campaign_id), time.monotonic()
        if known and now - known[0] < REMEMBERED_SECONDS:
            return known[1]
        async with self._direct.connection() as connection:
            found = await offers.current(connection, campaign_id)
        current = (
            self._stored(found) if found else Current(self._ours.of(campaign_id), self._ours.profile_of(campaign_id))
        )
        if len(self._known) >= MOST_CAMPAIGNS:
            self._known.clear()
        self._known[campaign_id] = (now, current)
        return current

    @staticmethod
    def _stored(row: dict[str, str]) -> Current:
        lists = {name: orjson.loads(row[name]) for name in ("value_propositions", "ideal_use_cases")}
        return Current(Offer(name=row["name"], **lists).text, row["profile"])
