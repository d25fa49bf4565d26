"""Leads that Marketo could not deliver are found and stored, once; whatever it answers, nothing else is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from prometheus_client import REGISTRY
from starlette.responses import JSONResponse, Response

from revenueflow.db import source_cursors
from revenueflow.errors import UpstreamRejected, UpstreamUnavailable
from revenueflow.sources import marketo
from revenueflow.sources.marketo_rest import until_midnight
from revenueflow.sources.reconcile import Pulled, reconcile
from tests.support.api import identity
from tests.support.house import House
from tests.support.pulling import ScriptedMarketo, error, stamp, success
from tests.support.vendor_server import VendorServer


@pytest.fixture
def vendor() -> Iterator[ScriptedMarketo]:
    with VendorServer() as server:
        yield ScriptedMarketo(server)


@pytest.fixture
async def pull(home: House, vendor: ScriptedMarketo) -> AsyncIterator[Any]:
    """One pull, as a worker or a person makes it."""

    async def once(*, grace: float = 0.0, every: float | None = None, since: datetime | None = None) -> Pulled | None:
        puller = vendor.puller(home.direct, identity(), grace=grace)
        try:
            return await reconcile(puller, home.direct, home.ingress, "trace-1", since=since, every=every)
        finally:
            await puller.aclose()

    yield once


async def delivered(home: House, number: int, **fields: object) -> UUID:
    """A lead of the scripted Marketo, as its webhook delivers it."""
    payload = {"email": f"lead{number}@northwind-mills.example", "firstName": "Ann", "id": number} | fields
    return await home.accept(marketo.read(orjson.dumps(payload), "application/json"))


def stored(home: House) -> list[dict[str, Any]]:
    return home.rows("SELECT * FROM deliveries ORDER BY received_at, id")


def gaps(home: House) -> list[str]:
    found = home.rows("SELECT action FROM audit_events WHERE action LIKE 'source.%' ORDER BY ts, id")
    return [row["action"].removeprefix("source.gap_") for row in found]


def counted(state: str) -> float:
    labels = {"source": "marketo", "state": state}
    return REGISTRY.get_sample_value("revenueflow_reconcile_gaps_total", labels) or 0.0


async def test_a_lead_sent_while_we_were_down_is_found_and_closed_once(
    home: House, vendor: ScriptedMarketo, pull: Any
) -> None:
    vendor.lead(7, seconds_ago=300, company="Northwind Mills", title="VP Operations", numberOfEmployees=250)
    before = counted("found"), counted("closed")
    assert await pull() == Pulled(seen=1, found=1, closed=1)
    assert await pull() == Pulled(seen=1, found=0, closed=0)
    (delivery,) = stored(home)
    assert (delivery["source"], delivery["delivery_key"]) == ("marketo", "activity:guid-7")
    understood = orjson.loads(delivery["parsed"])
    assert understood["form"]["title"] == "VP Operations"
    assert understood["form"]["headcount"] == "250"
    assert home.job(delivery["lead_id"])["state"] == "ready"
    assert gaps(home) == ["found", "closed"]
    assert (counted("found") - before[0], counted("closed") - before[1]) == (1, 1)
    audited = home.rows("SELECT * FROM audit_events")
    assert "northwind" not in str(audited)
    assert audited[-1]["lead_id"] == delivery["lead_id"]


@pytest.mark.parametrize("captured", [False, True])
async def test_what_the_webhook_delivered_is_no_gap(
    home: House, vendor: ScriptedMarketo, pull: Any, captured: bool
) -> None:
    lead = await delivered(home, 7, campaign="Q4 webinar")
    if captured:
        await home.run(lead)
    vendor.lead(7, seconds_ago=20)
    assert await pull() == Pulled(seen=1)
    assert len(stored(home)) == 1


async def test_an_activity_after_the_last_delivery_is_a_gap_of_the_same_lead(
    home: House, vendor: ScriptedMarketo, pull: Any
) -> None:
    lead = await delivered(home, 7, campaign="Q4 webinar")
    await home.run(lead)
    home.rows("UPDATE deliveries SET received_at = now() - interval '2 days'")
    vendor.lead(7, seconds_ago=300, phone="+1 512 555 0143")
    assert await pull() == Pulled(seen=1, found=1, closed=1)
    assert [one["lead_id"] for one in stored(home)] == [lead, lead]
    assert home.value("SELECT count(*) FROM leads") == 1


async def test_an_erased_lead_is_not_brought_back(home: House, vendor: ScriptedMarketo, pull: Any) -> None:
    await home.run(await delivered(home, 7))
    home.rows("UPDATE leads SET erased_at = now(), status = 'erased'")
    home.rows("DELETE FROM deliveries")
    vendor.lead(7, seconds_ago=300)
    assert await pull() == Pulled(seen=1)
    assert stored(home) == []


async def test_several_activities_of_a_lead_are_one_delivery(home: House, vendor: ScriptedMarketo, pull: Any) -> None:
    vendor.lead(7, seconds_ago=300)
    vendor.pages[0].append(vendor.pages[0][0] | {"marketoGUID": "later", "activityDate": stamp(200)})
    vendor.pages.append([vendor.pages[0][0] | {"marketoGUID": "other page", "activityTypeId": 2}])
    assert await pull() == Pulled(seen=3, found=1, closed=1)
    assert [one["delivery_key"] for one in stored(home)] == ["activity:later"]


async def test_further_fields_are_read_when_asked_for(home: House, vendor: ScriptedMarketo) -> None:
    vendor.lead(7, seconds_ago=300, comments="We need pricing.")
    puller = vendor.puller(home.direct, identity(), fields=("comments", "email"))
    await reconcile(puller, home.direct, home.ingress, "trace-1")
    await puller.aclose()
    assert orjson.loads(stored(home)[0]["parsed"])["form"]["message"] == "We need pricing."
    assert vendor.rest_calls("leads.json")[0]["fields"].endswith(",leadSource,comments")


async def test_a_lead_that_is_gone_from_marketo_is_passed_over(home: House, vendor: ScriptedMarketo, pull: Any) -> None:
    vendor.lead(7)
    vendor.lead(8, seconds_ago=300, email=None)
    vendor.leads.pop(7)
    assert await pull() == Pulled(seen=2, found=1, closed=1)
    (delivery,) = stored(home)
    assert delivery["lead_id"], "without an email Marketo's own id says who it is"


async def test_pages_may_be_empty(home: House, vendor: ScriptedMarketo, pull: Any) -> None:
    vendor.lead(1, page=1, seconds_ago=300)
    vendor.lead(2, page=4, seconds_ago=300)
    assert await pull() == Pulled(seen=2, found=2, closed=2)
    pages = vendor.rest_calls("activities.json")
    assert [one["nextPageToken"] for one in pages] == ["0", "1", "2", "3", "4"]
    assert {one["activityTypeIds"] for one in pages} == {"12,2"}


async def test_more_leads_than_a_call_gives(home: House, vendor: ScriptedMarketo, pull: Any) -> None:
    for number in range(1, 302):
        vendor.lead(number, seconds_ago=300)
    assert await pull() == Pulled(seen=301, found=301, closed=301)
    assert [len(one["filterValues"].split(",")) for one in vendor.rest_calls("leads.json")] == [300, 1]


async def test_a_young_activity_is_left_to_the_webhook(home: House, vendor: ScriptedMarketo, pull: Any) -> None:
    vendor.lead(7, seconds_ago=60)
    assert await pull(grace=120) == Pulled(seen=1)
    assert vendor.rest_calls("leads.json") == []
    since = datetime.fromisoformat(orjson.loads(home.value("SELECT cursor FROM source_cursors"))["since"])
    assert (datetime.now(UTC) - since).total_seconds() > 60, "the next pull sees it again"
    assert await pull() == Pulled(seen=1, found=1, closed=1)


async def test_the_next_pull_begins_before_the_end_of_the_last(home: House, vendor: ScriptedMarketo, pull: Any) -> None:
    begun = datetime.now(UTC)
    await pull(since=datetime(2026, 1, 2, tzinfo=UTC))
    await pull()
    first, second = (one["sinceDatetime"] for one in vendor.rest_calls("pagingtoken.json"))
    assert first == "2026-01-02T00:00:00+00:00"
    assert 595 < (begun - datetime.fromisoformat(second)).total_seconds() < 605


async def test_a_pull_that_broke_off_goes_on_where_it_was(home: House, vendor: ScriptedMarketo, pull: Any) -> None:
    vendor.lead(1, seconds_ago=300)
    vendor.lead(2, page=1, seconds_ago=300)
    vendor.first.extend([success(nextPageToken="0"), vendor._page(0), success(result=[vendor.leads[1]]), error("610")])
    with pytest.raises(UpstreamRejected, match="code_610"):
        await pull()
    assert len(stored(home)) == 1
    assert await pull() == Pulled(seen=1, found=1, closed=1)
    assert len(vendor.rest_calls("pagingtoken.json")) == 1
    assert gaps(home) == ["found", "closed"] * 2


async def test_a_place_that_marketo_has_forgotten_is_read_again_from_the_beginning(
    home: House, vendor: ScriptedMarketo, pull: Any
) -> None:
    vendor.lead(1, seconds_ago=300)
    begin = "2026-01-02T00:00:00.000000Z"
    place = orjson.dumps({"token": "9", "begin": begin, "started": "2026-01-03T00:00:00Z"}).decode()
    home.rows("INSERT INTO source_cursors (source, cursor) VALUES ('marketo', $1::jsonb)", place)
    vendor.first.append(error("1003"))
    assert await pull() == Pulled(seen=1, found=1, closed=1)
    assert [one["sinceDatetime"] for one in vendor.rest_calls("pagingtoken.json")] == ["2026-01-02T00:00:00+00:00"]


async def test_a_pull_by_hand_leaves_nothing_out(home: House, vendor: ScriptedMarketo, pull: Any) -> None:
    home.rows("INSERT INTO source_cursors (source, cursor) VALUES ('marketo', '{\"since\": \"2026-01-02T00:00:00Z\"}')")
    await pull(since=datetime(2026, 2, 2, tzinfo=UTC))
    assert [one["sinceDatetime"] for one in vendor.rest_calls("pagingtoken.json")] == ["2026-01-02T00:00:00+00:00"]


async def test_a_token_is_asked_for_once_and_again_when_it_is_void(vendor: ScriptedMarketo) -> None:
    client = vendor.client()
    await asyncio.gather(*(client.leads([1], ["id"]) for _ in range(5)))
    assert vendor.granted == ["token-1"]
    vendor.void.add("token-1")
    await client.leads([1], ["id"])
    assert vendor.granted == ["token-1", "token-2"]
    vendor.void |= {f"token-{number}" for number in range(9)}
    with pytest.raises(UpstreamRejected, match="bad_key"):
        await client.leads([1], ["id"])
    assert len(vendor.granted) == 3, "once is enough"
    await client.aclose()


async def test_a_token_that_ends_is_renewed_before(vendor: ScriptedMarketo) -> None:
    client = vendor.client()
    vendor.expires_in = 0
    await client.leads([1], ["id"])
    await client.leads([1], ["id"])
    assert len(vendor.granted) == 2
    await client.aclose()


@pytest.mark.parametrize("code", ["606", "615", "502", "604", "608", "611", "713"])
async def test_what_passes_is_tried_again(home: House, vendor: ScriptedMarketo, pull: Any, code: str) -> None:
    vendor.lead(7, seconds_ago=300)
    vendor.first.extend([error(code), error(code)])
    assert await pull() == Pulled(seen=1, found=1, closed=1)
    assert len(vendor.rest_calls()) == 5


async def test_too_many_calls_for_too_long_put_the_source_off(home: House, vendor: ScriptedMarketo, pull: Any) -> None:
    vendor.first.extend([error("606")] * 20)
    with pytest.raises(UpstreamUnavailable, match="rate_limited"):
        await pull()
    assert len(vendor.rest_calls()) == 6
    assert home.value("SELECT not_before IS NOT NULL FROM source_cursors")


async def test_a_quota_that_is_used_up_is_waited_for_until_midnight(
    home: House, vendor: ScriptedMarketo, pull: Any
) -> None:
    vendor.first.append(error("607"))
    with pytest.raises(UpstreamUnavailable, match="quota"):
        await pull(every=0.0)
    assert len(vendor.rest_calls()) == 1
    left = home.value("SELECT extract(epoch FROM not_before - now())::float8 FROM source_cursors")
    assert abs(left - until_midnight(datetime.now(UTC))) < 30
    assert await pull(every=0.0) is None
    assert len(vendor.rest_calls()) == 1


def test_marketos_day_ends_at_midnight_in_chicago() -> None:
    assert until_midnight(datetime(2026, 11, 21, 5, 30, tzinfo=UTC)) == 1800
    assert until_midnight(datetime(2026, 7, 1, 5, 0, tzinfo=UTC)) == 86400


@pytest.mark.parametrize("code", ["603", "609", "610", "612", "1003"])
async def test_what_stays_wrong_is_not_tried_again(vendor: ScriptedMarketo, pull: Any, code: str) -> None:
    vendor.first.append(error(code))
    with pytest.raises(UpstreamRejected, match=f"code_{code}"):
        await pull()
    assert len(vendor.rest_calls()) == 1


@pytest.mark.parametrize(
    "answer",
    [
        JSONResponse([]), JSONResponse("x"), JSONResponse({}), Response("<html>"), Response(b""),
        success(nextPageToken=3), success(nextPageToken=""), JSONResponse({"success": False, "errors": "none"}),
        JSONResponse({"success": False, "errors": [{"code": "dana@northwind.example"}]}),
    ],
)  # fmt: skip
async def test_an_answer_of_another_form_stops_the_pull(
    home: House, vendor: ScriptedMarketo, pull: Any, answer: Any
) -> None:
    vendor.lead(7, seconds_ago=300)
    vendor.first.append(answer)
    with pytest.raises(UpstreamRejected, match="malformed"):
        await pull()
    assert stored(home) == []


async def test_activities_of_another_form_cost_themselves_only(home: House, vendor: ScriptedMarketo, pull: Any) -> None:
    vendor.lead(7, seconds_ago=300)
    odd: list[Any] = [
        {},
        {"leadId": "7", "id": 1},
        {"leadId": 9},
        {"leadId": True, "id": 1},
        "x",
        None,
        {"leadId": 10, "id": []},
    ]
    vendor.pages[0] += odd
    vendor.leads[8] = {"id": 8, "email": {"a": 1}, "firstName": ["x"], "phone": "\0"}
    vendor.pages[0].append({"leadId": 8, "id": 5, "activityDate": "yesterday"})
    assert (await pull()).closed == 2
    assert (await pull()).found == 0
    assert {one["delivery_key"] for one in stored(home)} == {"activity:guid-7", "activity:5"}


async def test_one_process_reads_a_source_at_a_time(home: House, vendor: ScriptedMarketo, pull: Any) -> None:
    vendor.lead(7, seconds_ago=300)
    async with home.direct.connection() as connection:
        assert await source_cursors.lock(connection, "marketo")
        assert await pull() is None
        assert vendor.rest_calls() == []
        await source_cursors.unlock(connection, "marketo")
    both = await asyncio.gather(pull(), pull(), pull())
    assert sum(one.closed for one in both if one) == 1
    assert len(stored(home)) == 1
    assert gaps(home) == ["found", "closed"]


@pytest.mark.parametrize("code", [None, "610"])
async def test_a_source_is_given_back_however_a_pull_ends(
    home: House, vendor: ScriptedMarketo, pull: Any, code: str | None
) -> None:
    if code:
        vendor.first.append(error(code))
    with suppress(UpstreamRejected):
        await pull()
    assert home.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0


async def test_two_that_read_the_same_store_it_once(home: House, vendor: ScriptedMarketo) -> None:
    vendor.lead(7, seconds_ago=300)
    puller = vendor.puller(home.direct, identity())
    first = [one async for batch in puller.batches({}, None) for one in batch.missing]
    vendor.leads[7]["phone"] = "+1 512 555 0199"
    second = [one async for batch in puller.batches({}, None) for one in batch.missing]
    await puller.aclose()
    assert [one.status for one in await home.ingress.accept(first, "t")] == ["accepted"]
    assert [one.status for one in await home.ingress.accept(second, "t")] == ["duplicate"]
    assert len(stored(home)) == 1


async def test_a_pull_is_due_again_after_a_while(home: House, vendor: ScriptedMarketo, pull: Any) -> None:
    assert await pull(every=300) == Pulled()
    assert await pull(every=300) is None
    home.rows("UPDATE source_cursors SET pulled_at = now() - interval '301 seconds'")
    assert await pull(every=300) == Pulled()
