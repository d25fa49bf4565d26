"""Campaigns: how their leads stand, page by page, and pulling them from Aturiya."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.settings.sources import AturiyaSettings
from tests.support import sql
from tests.support.api import Api, add_keys, served, settings_for
from tests.support.vendor_server import VendorServer

PER_PAGE = 2


def lead(number: int, **more: object) -> dict[str, Any]:
    return {
        "id": f"p{number}",
        "first_name": "Ann",
        "last_name": f"Lee {number}",
        "email": f"ann{number}@tidewick.example",
        "title": "VP Operations",
        "phone_numbers": [{"sanitized_number": "+15125550143"}],
        "organization": {"name": "Tidewick", "website_url": "https://tidewick.example", "estimated_num_employees": 90},
    } | more


class Vendor:
    """Aturiya: one campaign, two leads a page."""

    def __init__(self, server: VendorServer) -> None:
        self.server = server
        self.leads: list[Any] = [lead(number) for number in range(5)]
        self.campaigns: list[Any] = [{"id": "c/1", "name": "Ops, Q4", "lead_count": 5}, {"name": "no id"}, "x"]
        server.answer = self.answer

    async def answer(self, request: Request) -> Response:
        if request.headers.get("authorization") != "Bearer token" or request.query_params.get("agent_id") != "agent":
            return JSONResponse({"error": {}}, 401)
        if request.url.path.endswith("/campaigns"):
            return JSONResponse({"campaigns": self.campaigns, "next_page": None})
        if request.url.path != "/v1/campaigns/c/1/leads":
            return JSONResponse({"error": {}}, 404)
        page = int(request.query_params["page"])
        rest = self.leads[(page - 1) * PER_PAGE :]
        return JSONResponse({"leads": rest[:PER_PAGE], "next_page": page + 1 if len(rest) > PER_PAGE else None})


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with VendorServer() as server:
        yield Vendor(server)


@pytest.fixture
def pulling(database: DatabaseUrls, redis_url: str, tmp_path: Path, vendor: Vendor) -> Iterator[Api]:
    """An API whose Aturiya is the vendor."""
    aturiya = AturiyaSettings(base_url=vendor.server.url, token=SecretStr("token"), user_id="user", agent_id="agent")
    settings = settings_for(database.app_url, redis_url, tmp_path).model_copy(update={"aturiya": aturiya})
    with served(settings) as client:
        yield Api(client, add_keys(database))


def pull(api: Api, campaign: str = "c%2F1", role: str = "operator", **params: int) -> httpx2.Response:
    return api.client.post(f"/v1/campaigns/{campaign}/pull", headers=api.as_role(role), params=params)


def told(answer: httpx2.Response) -> tuple[int, int, int, bool]:
    body = answer.raise_for_status().json()
    return body["leads"], body["accepted"], body["duplicates"], body["complete"]


def test_a_campaign_is_pulled_and_again_only_what_has_changed(
    pulling: Api, vendor: Vendor, database: DatabaseUrls
) -> None:
    assert told(pull(pulling)) == (5, 5, 0, True)
    assert told(pull(pulling)) == (5, 0, 5, True)
    vendor.leads[3]["title"] = "COO"
    vendor.leads.append(lead(9))
    assert told(pull(pulling)) == (6, 2, 4, True)
    rows = sql.rows(database.app_url, "SELECT * FROM deliveries ORDER BY received_at, id")
    assert (len(rows), len({row["lead_id"] for row in rows})) == (7, 6)
    form = orjson.loads(rows[0]["parsed"])
    assert form["campaign_id"] == "c/1"
    assert form["form"] == {
        "email": "ann0@tidewick.example", "name": "Ann Lee 0", "phone": "+15125550143", "company": "Tidewick",
        "website": "https://tidewick.example", "title": "VP Operations", "headcount": "90", "source": "Aturiya",
    }  # fmt: skip
    sent = vendor.server.seen[0].params
    assert (sent["user_id"], sent["agent_id"]) == ("user", "agent")


def test_a_pull_may_be_limited(pulling: Api) -> None:
    assert told(pull(pulling, limit=3)) == (3, 3, 0, False)
    assert told(pull(pulling, limit=4)) == (4, 1, 3, False)
    assert told(pull(pulling, limit=5)) == (5, 1, 4, True)


def test_odd_leads_cost_themselves_only(pulling: Api, vendor: Vendor) -> None:
    vendor.leads = ["x", {}, {"id": 7}, lead(1, email={"a": 1}, organization="?"), lead(2, id=None)]
    body = pull(pulling).raise_for_status().json()
    assert (body["accepted"], body["quarantined"]) == (3, 2)


@pytest.mark.parametrize("answer", [[], {"leads": {}}, {"leads": None}, {"other": []}])
def test_an_answer_of_another_form_is_an_error(pulling: Api, vendor: Vendor, answer: Any) -> None:
    async def wrong(_: Request) -> Response:
        return JSONResponse(answer)

    vendor.server.answer = wrong
    assert (pull(pulling).status_code, pull(pulling).json()["detail"]) == (502, "aturiya: malformed")


def test_who_may_pull_what(pulling: Api, api: Api) -> None:
    assert pull(pulling, role="reader").status_code == 403
    assert pull(pulling, "none").status_code == 404
    unset = pull(api)
    assert unset.status_code == 409
    assert "ATURIYA_TOKEN" in unset.json()["detail"]


LEAD = """
    INSERT INTO leads (id, campaign_id, identity_key, version, status, received_at)
    VALUES (gen_random_uuid(), $1, gen_random_uuid()::text, 1, $2, now())
"""


def test_campaigns_are_listed_with_their_leads_by_status(pulling: Api, database: DatabaseUrls) -> None:
    for campaign, status in (("a", "processed"), ("a", "processed"), ("a", "dead"), ("default", "parked")):
        sql.rows(database.app_url, LEAD, campaign, status)
    told(pull(pulling))
    items = pulling.read("/v1/campaigns").json()["items"]
    assert [(one["id"], one["leads"], one["by_status"]) for one in items] == [
        ("a", 3, {"processed": 2, "dead": 1}), ("c/1", 0, {}), ("default", 1, {"parked": 1}),
    ]  # fmt: skip
    assert (items[1]["name"], items[1]["source"], items[1]["leads_at_source"]) == ("Ops, Q4", "aturiya", 5)
    assert items[1]["pulled_at"].endswith("Z")
    assert items[0]["name"] is items[0]["pulled_at"] is None


def test_campaigns_come_page_by_page(api: Api, database: DatabaseUrls) -> None:
    for number in range(7):
        sql.rows(database.app_url, LEAD, f"c{number}", "processed")
    sql.rows(database.app_url, "INSERT INTO campaigns (id, source) VALUES ('c3x', 'aturiya'), ('z', 'aturiya')")
    seen, path = [], "/v1/campaigns?limit=2"
    while path:
        page = api.read(path)
        seen += [one["id"] for one in page.json()["items"]]
        path = page.links["next"]["url"] if page.json()["next_cursor"] else ""
    assert seen == ["c0", "c1", "c2", "c3", "c3x", "c4", "c5", "c6", "z"]
    assert api.read("/v1/campaigns?cursor=x").status_code == 422
    assert api.read("/v1/campaigns", role="ingest").status_code == 403


def test_the_leads_of_a_campaign(api: Api, database: DatabaseUrls) -> None:
    for campaign, status in (("a/b", "processed"), ("a/b", "dead"), ("a/b", "processed"), ("c", "dead")):
        sql.rows(database.app_url, LEAD, campaign, status)
    first = api.read("/v1/campaigns/a%2Fb/leads?limit=2")
    second = api.read(first.links["next"]["url"])
    both = first.json()["items"] + second.json()["items"]
    assert [one["campaign_id"] for one in both] == ["a/b"] * 3
    assert len({one["id"] for one in both}) == 3
    assert second.json()["next_cursor"] is None
    assert len(api.read("/v1/campaigns/a%2Fb/leads?status=dead").json()["items"]) == 1
    assert api.read("/v1/campaigns/none/leads").status_code == 404
    sql.rows(database.app_url, "INSERT INTO campaigns (id, source) VALUES ('empty', 'aturiya')")
    assert api.read("/v1/campaigns/empty/leads").json() == {"items": [], "next_cursor": None}
