"""What only HubSpot says, and what it comes to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from revenueflow.crm.base import Crm
from revenueflow.domain.action import record_key, shared_record_key
from revenueflow.errors import OutcomeUnknown, UpstreamError, UpstreamRejected, UpstreamUnavailable
from tests.support.crm_dialects import DIALECTS, lead_of
from tests.support.sandbox_http import Sandbox, running
from tests.support.vendor_server import VendorServer, fixed

(DIALECT,) = (one for one in DIALECTS if one.name == "hubspot")
BEARER = {"authorization": "Bearer x"}
OWNED = (("a", "101"), ("b", "102"))
"""Companies of another app, and their owners."""
EMAIL = "dana@larkvale-systems.example"


class Portal:
    """The provider, and the sandbox's portal."""

    def __init__(self, crm: Crm, sandbox: Sandbox) -> None:
        self.crm, self.sandbox = crm, sandbox

    async def upsert(self, kind: str, key: str, **properties: str) -> str:
        """As another app writes."""
        row = {"id": key, "idProperty": "hs_other_key", "properties": properties}
        path = f"/crm/objects/2026-09/{kind}/batch/upsert"
        answer = await self.sandbox.ask("hubspot", "POST", path, json={"inputs": [row]}, headers=BEARER)
        found: str = answer.json()["results"][0]["id"]
        return found

    async def put(self, lead: UUID, **fields: Any) -> str:
        return (await self.crm.put("lead", record_key(lead, "lead"), {"lead_id": str(lead), **fields})).crm_id


@pytest.fixture
async def portal() -> AsyncIterator[Portal]:
    async with running() as sandbox:
        crm, upstream = DIALECT.make(sandbox.urls["hubspot"], 5.0)
        yield Portal(crm, sandbox)
        await upstream.aclose()


async def test_a_contact_that_is_there_becomes_the_lead_s(portal: Portal) -> None:
    """A form's contact is in HubSpot before we are: an email is there once."""
    theirs = await portal.upsert("contacts", "k", email=EMAIL, phone="1")
    lead = uuid4()
    assert await portal.put(lead, email=EMAIL, name="Dana Reyes") == theirs
    assert await portal.put(lead, email=EMAIL, title="VP") == theirs
    found = await portal.crm.get("lead", record_key(lead, "lead"))
    assert found is not None
    assert (found.fields["name"], found.fields["title"], found.fields["phone"]) == ("Dana Reyes", "VP", "1")
    assert len(await portal.sandbox.records("hubspot")) == 1


async def test_a_contact_of_another_lead_is_left_alone(portal: Portal) -> None:
    await portal.put(uuid4(), email=EMAIL, title="VP")
    with pytest.raises(UpstreamRejected) as caught:
        await portal.put(uuid4(), email=EMAIL, title="CEO")
    assert caught.value.reason == "held_by_another_lead"
    (record,) = await portal.sandbox.records("hubspot")
    assert record["fields"]["jobtitle"] == "VP"


async def test_the_lead_s_contact_is_one_record_with_it(portal: Portal) -> None:
    lead = uuid4()
    made = await portal.put(lead, email=EMAIL)
    contact = await portal.crm.put("contact", record_key(lead, "contact"), {"lead_id": str(lead), "email": EMAIL})
    assert contact.crm_id == made
    assert await portal.crm.get("contact", record_key(lead, "contact")) is not None


async def test_one_that_conflicts_fails_none_of_the_others(portal: Portal) -> None:
    """HubSpot refuses a whole call for it: the call is halved until that one is alone."""
    await portal.put(uuid4(), email=EMAIL)
    leads = [uuid4() for _ in range(40)]
    puts = (portal.put(lead, email=EMAIL if n == 17 else f"{n}@x.example") for n, lead in enumerate(leads))
    results = await asyncio.gather(*puts, return_exceptions=True)
    assert [n for n, result in enumerate(results) if isinstance(result, BaseException)] == [17]
    assert len({result for result in results if isinstance(result, str)}) == 39


async def test_a_company_that_somebody_else_made_becomes_ours(portal: Portal) -> None:
    theirs = await portal.upsert("companies", "k", domain="l.example", name="Larkvale")
    key = shared_record_key("account", "l.example")
    made = await portal.crm.put("account", key, {"lead_id": str(uuid4()), "domain": "l.example", "headcount": 240})
    assert made.crm_id == theirs
    found = await portal.crm.get("account", key)
    assert found is not None
    assert (found.fields["company"], found.fields["headcount"]) == ("Larkvale", 240)


async def test_a_company_that_has_another_key_of_ours_keeps_it(portal: Portal) -> None:
    """A person gave it another domain since."""
    first = shared_record_key("account", "l.example")
    fields = {"lead_id": str(uuid4()), "domain": "l.example", "headcount": 240}
    made = await portal.crm.put("account", first, fields)
    path = f"/crm/objects/2026-09/companies/{made.crm_id}"
    await portal.sandbox.ask("hubspot", "PATCH", path, json={"properties": {"domain": "m.example"}}, headers=BEARER)
    second = shared_record_key("account", "m.example")
    other = await portal.crm.put("account", second, fields | {"domain": "m.example"})
    assert other.crm_id != made.crm_id
    assert await portal.crm.get("account", first) is not None


async def test_two_companies_of_a_domain_are_no_match(portal: Portal) -> None:
    for key in ("a", "b"):
        await portal.upsert("companies", key, domain="l.example")
    found = await portal.crm.accounts_of("l.example")
    assert (found.count, found.account) == (2, None)


async def test_who_owns_a_company_and_its_open_deals(portal: Portal) -> None:
    """Deals that are closed, or another company's, say nothing; what was changed last comes first."""
    companies = [await portal.upsert("companies", n, domain="l.example", hubspot_owner_id=o) for n, o in OWNED]
    other = await portal.upsert("companies", "other", domain="o.example", hubspot_owner_id="999")
    for number, (company, stage, owner) in enumerate((
        (companies[0], "qualifiedtobuy", "201"), (companies[1], "contractsent", "202"),
        (companies[0], "closedwon", "203"), (other, "qualifiedtobuy", "204"),
    )):  # fmt: skip
        deal = await portal.upsert("deals", f"d{number}", dealname="D", dealstage=stage, hubspot_owner_id=owner)
        path = f"/crm/objects/2026-09/deals/{deal}/associations/default/companies/{company}"
        await portal.sandbox.ask("hubspot", "PUT", path, headers=BEARER)
    found = await portal.crm.accounts_of("l.example")
    assert (found.count, found.account, found.owners) == (2, None, ("101", "102"))
    assert found.opportunity_owners == ("202", "201")
    (only,) = [await portal.crm.accounts_of("o.example")]
    assert (only.owners, only.opportunity_owners) == (("999",), ("204",))
    assert only.account is not None
    assert only.account.crm_id == other


async def test_a_company_without_owner_or_deals(portal: Portal) -> None:
    await portal.upsert("companies", "k", domain="l.example")
    found = await portal.crm.accounts_of("l.example")
    assert (found.count, found.owners, found.opportunity_owners) == (1, (), ())
    assert (await portal.crm.accounts_of("nobody.example")).count == 0


async def test_our_own_company_is_the_one_of_several(portal: Portal) -> None:
    key = shared_record_key("account", "l.example")
    made = await portal.crm.put("account", key, {"lead_id": str(uuid4()), "domain": "l.example", "headcount": 240})
    await portal.upsert("companies", "k", domain="l.example", hubspot_owner_id="102")
    found = await portal.crm.accounts_of("l.example")
    assert found.count == 2
    assert found.account is not None
    assert found.account.crm_id == made.crm_id


async def test_a_task_is_connected_and_needs_its_lead(portal: Portal) -> None:
    lead = uuid4()
    task = {"lead_id": str(lead), "subject": "s", "body": "b", "due_at": "2026-11-20T10:00:00Z", "owner_id": "o"}
    with pytest.raises(UpstreamRejected) as caught:
        await portal.crm.put("task", record_key(lead, "task"), task)
    assert caught.value.reason == "no_such_lead"
    contact = await portal.put(lead, email=EMAIL)
    made = await portal.crm.put("task", record_key(lead, "task"), task)
    paths = [request["path"] for request in await portal.sandbox.requests("hubspot")]
    assert f"/crm/objects/2026-09/tasks/{made.crm_id}/associations/default/contacts/{contact}" in paths


async def test_a_campaign_that_is_a_list_gets_the_contact(portal: Portal) -> None:
    lead = uuid4()
    contact = await portal.put(lead, email=EMAIL)
    member = {"lead_id": str(lead), "campaign": "4711", "member_status": "sent"}
    await portal.crm.put("campaign_member", record_key(lead, "campaign_member", "4711"), member)
    (joined,) = (one for one in await portal.sandbox.requests("hubspot") if "/memberships/add" in one["path"])
    assert joined["path"] == "/crm/lists/2026-03/4711/memberships/add"
    assert contact in str(joined["body"])


@pytest.fixture(scope="module")
def server() -> Iterator[VendorServer]:
    with VendorServer() as one:
        yield one


@pytest.fixture
async def crm(server: VendorServer) -> AsyncIterator[Crm]:
    one, upstream = DIALECT.make(server.url, 2.0)
    yield one
    await upstream.aclose()


async def fails(crm: Crm) -> UpstreamError:
    lead, key = lead_of()
    with pytest.raises(UpstreamError) as caught:
        await crm.put("lead", key, {"lead_id": str(lead), "name": "D"})
    return caught.value


async def test_a_connection_whose_answer_is_lost_is_made_again(server: VendorServer, crm: Crm) -> None:
    """It does no more the second time, so it is not an open outcome: the whole write is repeated under its key."""
    lead = uuid4()
    status = [503, 200]

    async def answer(request: Request) -> Response:
        if request.method == "PUT":
            return JSONResponse({}, status.pop(0))
        if request.method == "GET":
            return JSONResponse({"id": "1", "properties": {}})
        return JSONResponse({"status": "COMPLETE", "results": [{"id": "7", "objectWriteTraceId": "0"}]})

    server.answer = answer
    fields = {"lead_id": str(lead), "kind": "call", "subject": "s", "body": "b", "happened_at": "2026-11-20T10:00:00Z"}
    with pytest.raises(UpstreamUnavailable):
        await crm.put("activity", record_key(lead, "activity"), fields)
    assert (await crm.put("activity", record_key(lead, "activity"), fields)).crm_id == "7"
    assert status == []


async def test_a_conflict_with_a_call_of_our_own_is_an_update(server: VendorServer, crm: Crm) -> None:
    """Two workers upsert one key at the same moment: HubSpot refuses one of them."""
    lead, key = lead_of()

    async def answer(request: Request) -> Response:
        if request.method == "POST":
            return JSONResponse({"status": "error", "category": "CONFLICT"}, 409)
        return JSONResponse({"id": "7", "properties": {"revenueflow_key": str(key)}})

    server.answer = answer
    assert (await crm.put("lead", key, {"lead_id": str(lead), "name": "D"})).crm_id == "7"
    assert [seen.method for seen in server.seen][-3:] == ["POST", "GET", "PATCH"]


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        ({"policyName": "DAILY"}, {}, ("quota", 900.0)),
        ({"policyName": "TEN_SECONDLY_ROLLING"}, {}, ("rate_limited", 10.0)),
        ({"policyName": "SECONDLY"}, {"x-hubspot-ratelimit-interval-milliseconds": "1000"}, ("rate_limited", 1.0)),
        ({"policyName": "SECONDLY"}, {"retry-after": "3"}, ("rate_limited", 3.0)),
        ([], {"x-hubspot-ratelimit-interval-milliseconds": "soon"}, ("rate_limited", 10.0)),
    ],
)
async def test_limits(
    server: VendorServer, crm: Crm, body: Any, headers: dict[str, str], expected: tuple[str, float]
) -> None:
    server.answer = fixed(429, body, **headers)
    error = await fails(crm)
    assert type(error) is UpstreamUnavailable
    assert (error.reason, error.retry_after) == expected


@pytest.mark.parametrize(
    ("status", "category", "expected"),
    [
        (403, "MISSING_SCOPES", "missing_scopes"),
        (400, "VALIDATION_ERROR", "validation_error"),
        (400, "canary@example.com", "rejected"),
        (404, "OBJECT_NOT_FOUND", "object_not_found"),
    ],
)
async def test_refusals(server: VendorServer, crm: Crm, status: int, category: str, expected: str) -> None:
    server.answer = fixed(status, {"status": "error", "category": category, "message": "canary@example.com"})
    error = await fails(crm)
    assert (type(error), error.reason) == (UpstreamRejected, expected)


async def test_locked_is_for_later(server: VendorServer, crm: Crm) -> None:
    server.answer = fixed(423, {"status": "error", "category": "LOCKED"})
    assert type(await fails(crm)) is UpstreamUnavailable


async def test_a_part_that_failed_is_told_by_its_trace_id(server: VendorServer, crm: Crm) -> None:
    """And a row of which nothing is said may have been written."""
    wrong, silent = lead_of()[1], lead_of()[1]

    async def answer(request: Request) -> Response:
        inputs = orjson.loads(await request.body())["inputs"]
        traces = [one["objectWriteTraceId"] for one in inputs if one["id"] == str(wrong)]
        good = [one for one in inputs if one["id"] not in (str(wrong), str(silent))]
        results = [{"id": one["id"][:8], "objectWriteTraceId": one["objectWriteTraceId"]} for one in good]
        errors = [{"category": "VALIDATION_ERROR", "context": {"objectWriteTraceId": traces}}] if traces else []
        return JSONResponse({"status": "COMPLETE", "results": results, "errors": errors}, 207 if errors else 200)

    server.answer = answer
    keys = [wrong, silent, *(lead_of()[1] for _ in range(6))]
    puts = (crm.put("lead", key, {"lead_id": str(uuid4()), "name": "D"}) for key in keys)
    results = await asyncio.gather(*puts, return_exceptions=True)
    assert isinstance(results[0], UpstreamRejected)
    assert isinstance(results[1], OutcomeUnknown)
    assert [getattr(one, "crm_id", None) for one in results[2:]] == [str(key)[:8] for key in keys[2:]]
