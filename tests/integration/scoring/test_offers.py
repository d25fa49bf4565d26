"""Offers over HTTP, and which one the leads of a campaign are judged by."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

from tests.support.api import Api, add_keys, served, settings_for
from tests.support.house import House


async def profile_of(home: House, campaign: str) -> str | None:
    """The profile of the offer that holds for a campaign, as a worker that starts now sees it."""
    async with home.services() as services:
        return (await services.offers.of(campaign)).profile


async def test_the_newest_of_the_campaign_holds_until_it_is_withdrawn(home: House, tmp_path: Path) -> None:
    with served(settings_for(home.urls.app_url, home.settings.redis.url, tmp_path)) as client:
        api = Api(client, add_keys(home.urls))
        operator, base = api.as_role("operator"), await profile_of(home, "spring")

        async def made(**offer: str) -> str:
            sent = await asyncio.to_thread(client.post, "/v1/offers", headers=operator, json={"name": "Plans", **offer})
            assert sent.status_code == 201
            shown = await asyncio.to_thread(api.read, sent.headers["location"])
            assert shown.json() == sent.json()
            return str(sent.json()["id"])

        async def withdrawn(offer: str) -> int:
            answer = await asyncio.to_thread(client.delete, f"/v1/offers/{offer}", headers=operator)
            return answer.status_code

        for_all = await made(profile="six_factor")
        assert await profile_of(home, "spring") == await profile_of(home, "fall") == "six_factor"
        older = await made(profile="grounded", campaign_id="spring")
        newer = await made(profile="dual_layer", campaign_id="spring")
        assert [await profile_of(home, name) for name in ("spring", "fall")] == ["dual_layer", "six_factor"]
        assert [await withdrawn(newer), await withdrawn(newer), await withdrawn(str(uuid4()))] == [204, 204, 404]
        assert await profile_of(home, "spring") == "grounded"
        assert [await withdrawn(older), await profile_of(home, "spring")] == [204, "six_factor"]
        assert [await withdrawn(for_all), await profile_of(home, "spring")] == [204, base]
        items = (await asyncio.to_thread(api.read, "/v1/offers")).json()["items"]
        assert all(item["withdrawn_at"] for item in items)
        assert [item["holds_for"] for item in items] == [
            "spring",
            "spring",
            "every campaign without an offer of its own",
        ]
        assert (await asyncio.to_thread(client.get, f"/v1/offers/{uuid4()}", headers=operator)).status_code == 404
