"""Aturiya: campaigns and their leads, pulled on demand. Names of things are in defaults/aturiya.toml.

A lead is known by campaign, its id there and the hash of what was said of it: unchanged it is a duplicate, changed it
is a new delivery of the same lead.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from revenueflow.db import campaigns as stored
from revenueflow.db.session import Database
from revenueflow.errors import UpstreamRejected
from revenueflow.resilience.http import Client
from revenueflow.resilience.upstream import HttpUpstream
from revenueflow.sources import aturiya_map as table
from revenueflow.sources.arrival import Arrival
from revenueflow.sources.aturiya_map import AturiyaMap, Campaign
from revenueflow.sources.ingress import Ingress
from revenueflow.sources.payload import delivery_key
from revenueflow.sources.storing import Receipt

SOURCE = "aturiya"
PAGE = 100
MOST_PAGES = 10_000


class Aturiya:
    """A client for one user and agent."""

    def __init__(
        self,
        base_url: str,
        token: str,
        user_id: str,
        agent_id: str,
        *,
        config_dir: Path | None = None,
        client: Client | None = None,
    ) -> None:
        self._map = AturiyaMap.load(config_dir)
        names = self._map.parameters
        self._own: dict[str, str | int | float | bool] = {
            names.user_id: user_id,
            names.agent_id: agent_id,
            names.page_size: PAGE,
        }
        headers = {"authorization": f"Bearer {token}"}
        self._upstream = HttpUpstream(SOURCE, base_url, headers=headers, timeout=30, client=client)

    async def campaigns(self) -> list[Campaign]:
        """All campaigns. Raises UpstreamError."""
        pages = self._pages(self._map.paths.campaigns, self._map.answer.campaigns)
        return [found async for page in pages for one in page if (found := table.campaign(one, self._map))]

    async def leads(self, campaign_id: str) -> AsyncIterator[list[Arrival]]:
        """The leads of a campaign, a page at a time. Raises UpstreamError."""
        path = self._map.paths.leads.replace("{id}", quote(campaign_id, safe=""))
        async for page in self._pages(path, self._map.answer.leads):
            yield [self._arrival(one, campaign_id) for one in page]

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._upstream.aclose()

    async def _pages(self, path: str, place: str) -> AsyncIterator[list[Any]]:
        number = 1
        for _ in range(MOST_PAGES):
            params = self._own | {self._map.parameters.page: number}
            said = (await self._upstream.request("GET", path, params=params)).data
            items = table.at(said, place)
            if not isinstance(items, list):
                raise UpstreamRejected(SOURCE, "malformed")
            yield items
            following = table.at(said, self._map.answer.next_page)
            if type(following) is not int or following <= number:
                return
            number = following

    def _arrival(self, item: object, campaign_id: str) -> Arrival:
        raw = orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
        if not isinstance(item, dict):
            return Arrival(SOURCE, delivery_key(None, raw), raw, "application/json", reason="not_an_object")
        understood = table.lead(item, campaign_id, self._map)
        key = f"{campaign_id}:{understood.source_id or ''}:{sha256(raw).hexdigest()}"
        own = f"{campaign_id}:{understood.source_id}" if understood.source_id else None
        return Arrival(SOURCE, delivery_key(key, raw), raw, "application/json", understood, own_id=own)


@dataclass(slots=True)
class CampaignPull:
    """What became of a campaign's leads. `complete` is False if `limit` ended the pull."""

    campaign_id: str
    leads: int = 0
    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    complete: bool = False

    def count(self, receipts: Sequence[Receipt]) -> None:
        """Adds the answers to some leads."""
        self.leads += len(receipts)
        self.accepted += sum(one.status in ("accepted", "conflict", "spooled") for one in receipts)
        self.duplicates += sum(one.status == "duplicate" for one in receipts)
        self.quarantined += sum(one.status == "quarantined" for one in receipts)


async def pull_campaign(
    aturiya: Aturiya,
    ingress: Ingress,
    database: Database,
    campaign_id: str,
    *,
    trace_id: str,
    limit: int | None = None,
    progress: Callable[[CampaignPull], None] = lambda _: None,
) -> CampaignPull:
    """Stores the leads of a campaign, at most `limit`, page by page; `progress` is called after each.

    A pull that broke off is begun again: what is stored is a duplicate then, and nothing is done twice. Raises
    UpstreamError (`not_found` for an unknown campaign) and Unavailable; what was stored until then stays.
    """
    pulled = CampaignPull(campaign_id)
    async for page in aturiya.leads(campaign_id):
        arrivals = page if limit is None else page[: limit - pulled.leads]
        pulled.count(await ingress.accept(arrivals, trace_id))
        progress(pulled)
        if len(arrivals) < len(page):
            break
    else:
        pulled.complete = True
    async with database.transaction() as session:
        await stored.pulled(session, campaign_id, SOURCE)
    return pulled


async def pull_names(aturiya: Aturiya, database: Database) -> list[Campaign]:
    """Asks for all campaigns, and keeps their names and sizes."""
    found = await aturiya.campaigns()
    async with database.transaction() as session:
        await stored.store(session, SOURCE, found)
    return found
