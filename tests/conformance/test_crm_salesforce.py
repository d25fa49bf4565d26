"""What only Salesforce says, and what it comes to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from revenueflow import defaults
from revenueflow.crm.base import Crm
from revenueflow.crm.mapping import CrmMap
from revenueflow.crm.salesforce.crm import Salesforce
from revenueflow.crm.salesforce.session import Session
from revenueflow.domain.action import record_key, shared_record_key
from revenueflow.errors import UpstreamError, UpstreamRejected, UpstreamUnavailable
from revenueflow.resilience.upstream import HttpUpstream
from tests.support.crm_dialects import DIALECTS, lead_of
from tests.support.sandbox_http import running
from tests.support.vendor_server import VendorServer

(DIALECT,) = (one for one in DIALECTS if one.name == "salesforce")
ID = "00Q000000000001AAA"
GOOD = {"id": ID, "success": True, "created": True, "errors": []}


def refused(code: str) -> dict[str, Any]:
    return {"success": False, "errors": [{"statusCode": code, "message": "m", "fields": []}]}


class Org:
    """Answers each PATCH with the next of `rows`, and knows `held` by its key; one token after the other."""

    def __init__(self) -> None:
        self.rows: list[list[dict[str, Any]]] = []
        self.held: Response | None = None
        self.tokens = 0
        self.good = 1
        self.bodies: list[Any] = []

    async def answer(self, request: Request) -> Response:
        if request.url.path.endswith("/token"):
            self.tokens += 1
            return JSONResponse({"access_token": f"token-{self.tokens}"})
        if request.headers["authorization"] != f"Bearer token-{self.good}":
            return JSONResponse([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired"}], 401)
        if request.method == "GET":
            return self.held or JSONResponse([{"errorCode": "NOT_FOUND", "message": "m"}], 404)
        self.bodies.append(orjson.loads(await request.body()))
        return JSONResponse(self.rows.pop(0))


@pytest.fixture(scope="module")
def server() -> Iterator[VendorServer]:
    with VendorServer() as one:
        yield one


@pytest.fixture
def org(server: VendorServer) -> Org:
    one = Org()
    server.answer = one.answer
    return one


@pytest.fixture
async def crm(server: VendorServer) -> AsyncIterator[Crm]:
    one, upstream = DIALECT.make(server.url, 2.0)
    yield one
    await upstream.aclose()


async def put(crm: Crm, **fields: Any) -> str:
    lead, key = lead_of()
    return (await crm.put("lead", key, {"lead_id": str(lead), "company": "L", "name": "D", **fields})).crm_id


async def fails(crm: Crm, **fields: Any) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await put(crm, **fields)
    return caught.value


async def test_a_token_that_ran_out_is_renewed_once(org: Org, crm: Crm) -> None:
    org.good, org.rows = 2, [[GOOD], [GOOD]]
    assert await put(crm) == ID
    assert await put(crm) == ID
    assert org.tokens == 2


async def test_a_row_that_is_locked_is_tried_again(org: Org, crm: Crm) -> None:
    org.rows = [[refused("UNABLE_TO_LOCK_ROW")], [GOOD]]
    assert await put(crm) == ID


async def test_a_row_that_stays_locked_is_for_later(org: Org, crm: Crm) -> None:
    org.rows = [[refused("UNABLE_TO_LOCK_ROW")]] * 4
    error = await fails(crm)
    assert (type(error), error.reason) == (UpstreamUnavailable, "locked")


async def test_a_key_that_was_made_a_moment_before_is_an_update(org: Org, crm: Crm) -> None:
    org.held, org.rows = JSONResponse({"Id": ID}), [[refused("DUPLICATE_VALUE")], [GOOD]]
    assert await put(crm) == ID


async def test_a_value_that_another_record_has_is_refused(org: Org, crm: Crm) -> None:
    org.rows = [[refused("DUPLICATE_VALUE")]]
    error = await fails(crm)
    assert (type(error), error.reason) == (UpstreamRejected, "duplicate_value")


async def test_what_a_creation_needs_is_filled_in_then_only(org: Org, crm: Crm) -> None:
    org.rows = [[refused("REQUIRED_FIELD_MISSING")], [GOOD]]
    assert await put(crm, name=None, company=None) == ID
    first, second = (body["records"][0] for body in org.bodies)
    assert "Company" not in first
    assert (second["Company"], second["LastName"]) == ("[not provided]", "[not provided]")


@pytest.mark.parametrize(
    "code", ["DUPLICATES_DETECTED", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "CANNOT_UPDATE_CONVERTED_LEAD"]
)
async def test_refusals(org: Org, crm: Crm, code: str) -> None:
    org.rows = [[refused(code)]]
    error = await fails(crm)
    assert (type(error), error.reason) == (UpstreamRejected, code.lower())


async def test_a_code_that_is_not_known_is_not_passed_on(org: Org, crm: Crm) -> None:
    org.rows = [[refused("canary@example.com")]]
    assert (await fails(crm)).reason == "rejected"


async def test_several_records_with_one_key(org: Org, crm: Crm) -> None:
    org.held = JSONResponse(["/services/data/v68.0/sobjects/Lead/1"], 300)
    with pytest.raises(UpstreamRejected) as caught:
        await crm.get("lead", uuid4())
    assert caught.value.reason == "several_match"


async def test_a_conversion_needs_the_class(org: Org, crm: Crm, server: VendorServer) -> None:
    async def answer(request: Request) -> Response:
        if "apexrest" in request.url.path:
            return JSONResponse([{"errorCode": "NOT_FOUND", "message": "Could not find a match for URL"}], 404)
        return await org.answer(request)

    server.answer = answer
    assert (await fails(crm, converted=True)).reason == "not_installed"


async def test_a_conversion_happens_once_and_is_read_back() -> None:
    async with running() as sandbox:
        crm, upstream = DIALECT.make(sandbox.urls["salesforce"], 5.0)
        lead, key = lead_of()
        made = await crm.put("lead", key, {"lead_id": str(lead), "company": "L", "name": "D", "status": "qualified"})
        asked = {"lead_id": str(lead), "converted": True, "conversion_reason": "r", "conversion_opportunity": "O"}
        for _ in range(2):
            assert (await crm.put("lead", key, asked)).crm_id == made.crm_id
        found = await crm.get("lead", key)
        assert found is not None
        assert crm.normal("lead", asked).items() <= found.fields.items()
        assert found.fields["converted"] is True
        with pytest.raises(UpstreamRejected):
            await crm.put("lead", key, {"lead_id": str(lead), "title": "x"})
        await upstream.aclose()


async def test_an_account_that_somebody_else_made_becomes_ours() -> None:
    async with running() as sandbox:
        crm, upstream = DIALECT.make(sandbox.urls["salesforce"], 5.0)
        await crm.get("lead", uuid4())
        path = "/services/data/v68.0/composite/sobjects/Account/Other_Key__c"
        record = {"attributes": {"type": "Account"}, "Other_Key__c": "k", "Name": "L", "Website": "l.example"}
        headers = {"authorization": "Bearer sandbox-token"}
        sent = await sandbox.ask("salesforce", "PATCH", path, json={"records": [record]}, headers=headers)
        (made,) = sent.json()
        found = (await crm.accounts_of("l.example")).account
        assert found is not None
        assert found.crm_id == made["id"]
        key = shared_record_key("account", "l.example")
        ours = await crm.put("account", key, {"lead_id": str(uuid4()), "domain": "l.example", "headcount": 240})
        assert ours.crm_id == made["id"]
        assert len(await sandbox.records("salesforce")) == 1
        await upstream.aclose()


async def test_a_task_of_a_lead_that_is_not_there_is_refused() -> None:
    async with running() as sandbox:
        crm, upstream = DIALECT.make(sandbox.urls["salesforce"], 5.0)
        lead = uuid4()
        task = {"lead_id": str(lead), "subject": "s", "body": "b", "due_at": "2026-11-20T10:00:00Z", "owner_id": "o"}
        with pytest.raises(UpstreamRejected) as caught:
            await crm.put("task", record_key(lead, "task"), task)
        assert caught.value.reason == "invalid_field"
        await upstream.aclose()


async def test_who_owns_accounts_and_their_open_opportunities() -> None:
    """Opportunities that are closed say nothing; what was changed last comes first; reps are told by our names."""
    async with running() as sandbox:
        upstream = HttpUpstream("salesforce", sandbox.urls["salesforce"], timeout=5.0)
        owners = {"dana": "005000000000001AAA", "marcus": "005000000000002"}
        table = defaults.load(CrmMap, "salesforce.toml").model_copy(update={"owners": owners})
        crm = Salesforce(Session(upstream, "client", "secret"), table, version="v68.0")
        await crm.get("lead", uuid4())

        async def write(kind: str, **fields: str) -> str:
            key = fields.get("Name", "") + fields.get("OwnerId", "")
            path = f"/services/data/v68.0/composite/sobjects/{kind}/Other_Key__c"
            record = {"attributes": {"type": kind}, "Other_Key__c": key, **fields}
            headers = {"authorization": "Bearer sandbox-token"}
            sent = await sandbox.ask("salesforce", "PATCH", path, json={"records": [record]}, headers=headers)
            (row,) = sent.json()
            assert row["success"], row
            made: str = row["id"]
            return made

        ours, theirs, nobody = "005000000000001AAA", "005000000000002AAB", "005000000000003AAC"
        first = await write("Account", Name="L", Website="https://www.l.example", OwnerId=ours)
        second = await write("Account", Name="L2", RevenueFlow_Domain__c="l.example", OwnerId=nobody)
        await write("Account", Name="O", Website="o.example", OwnerId=theirs)
        deal = {"CloseDate": "2026-12-31", "StageName": "Prospecting"}
        await write("Opportunity", Name="A", AccountId=first, OwnerId=theirs, **deal)
        await write("Opportunity", Name="B", AccountId=second, OwnerId=nobody, **deal)
        await write("Opportunity", Name="C", AccountId=first, OwnerId=ours, **deal | {"StageName": "Closed Won"})
        found = await crm.accounts_of("l.example")
        assert (found.count, found.account, found.owners) == (2, None, ("dana", nobody))
        assert found.opportunity_owners == (nobody, "marcus")
        only = await crm.accounts_of("o.example")
        assert (only.count, only.owners, only.opportunity_owners) == (1, ("marcus",), ())
        assert (await crm.accounts_of("x.example")).count == 0
        key = shared_record_key("account", "l.example")
        made = await crm.put("account", key, {"lead_id": str(uuid4()), "domain": "l.example", "headcount": 240})
        known = (await crm.accounts_of("l.example")).account
        assert known is not None
        assert known.crm_id == made.crm_id
        await upstream.aclose()
