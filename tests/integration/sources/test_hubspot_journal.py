"""HubSpot's journal: what came by webhook is no gap, what did not is closed, and no file leads into our network."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from revenueflow.errors import UpstreamRejected
from revenueflow.resilience.addresses import Allowed
from revenueflow.resilience.outside import Outside
from revenueflow.sources import hubspot
from revenueflow.sources.hubspot_journal import HubSpotJournal, HubSpotPull
from revenueflow.sources.reconcile import Pulled, reconcile
from tests.support.api import identity
from tests.support.house import House
from tests.support.vendor_server import VendorServer

PORTAL = 62515


def webhook_event(contact: int, event: int = 1, *, seconds_ago: float = 600, **fields: object) -> dict[str, Any]:
    """An event as the webhook sends it."""
    return {
        "objectId": contact, "eventId": event, "subscriptionId": 7, "portalId": PORTAL, "appId": 54321,
        "occurredAt": round((time.time() - seconds_ago) * 1000), "subscriptionType": "contact.creation",
        "attemptNumber": 0,
    } | fields  # fmt: skip


def journal_event(contact: int, *, at: int, **fields: object) -> dict[str, Any]:
    """An event as the journal itself knows it; `at` in milliseconds."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at / 1000)) + f".{at % 1000:03}Z"
    return {
        "type": "crmObject", "portalId": PORTAL, "occurredAt": moment, "action": "CREATE", "objectTypeId": "0-1",
        "objectId": str(contact), "properties": {},
    } | fields  # fmt: skip


@pytest.fixture
async def pull(home: House) -> AsyncIterator[Any]:
    """One pull from the sandbox's journal; only the sandbox itself may be asked for files."""
    url = home.sandbox.urls["hubspot"]

    async def once(*, grace: float = 0.0) -> Pulled | None:
        outside = Outside("hubspot_journal", allowed=Allowed.parse([urlsplit(url).netloc]))
        puller = HubSpotPull(HubSpotJournal(url, "id", "secret", outside), home.direct, identity(), grace=grace)
        try:
            return await reconcile(puller, home.direct, home.ingress, "trace-1")
        finally:
            await puller.aclose()

    yield once


async def add(home: House, **file: object) -> None:
    answer = await home.sandbox.ask("control", "PUT", "/_sandbox/hubspot/journal", json=file)
    assert answer.status_code == 204


def keys(home: House) -> list[str]:
    return [row["delivery_key"] for row in home.rows("SELECT delivery_key FROM deliveries ORDER BY received_at, id")]


async def paths(home: House) -> list[str]:
    return [urlsplit(one["path"]).path.rpartition("/batch/")[2] for one in await home.sandbox.requests("hubspot")]


async def test_an_event_that_was_missed_is_the_delivery_that_the_webhook_would_have_made(
    home: House, pull: Any
) -> None:
    came, missed = webhook_event(40101), webhook_event(40138)
    await home.ingress.accept(hubspot.read(orjson.dumps([came])), "trace-1")
    await add(home, events=[came, missed])
    assert await pull() == Pulled(seen=2, found=1, closed=1)
    assert await pull() == Pulled()
    (receipt,) = await home.ingress.accept(hubspot.read(orjson.dumps([missed])), "trace-1")
    assert receipt.status == "duplicate"
    assert len(keys(home)) == 2


async def test_the_journals_own_events_are_known_by_contact_and_time(home: House, pull: Any) -> None:
    came = webhook_event(40101)
    await home.ingress.accept(hubspot.read(orjson.dumps([came])), "trace-1")
    at = came["occurredAt"]
    await add(home, events=[journal_event(40101, at=at + 400), journal_event(40138, at=at)])
    assert await pull() == Pulled(seen=2, found=1, closed=1)
    assert keys(home)[1] == f"{PORTAL}:journal:CREATE:40138:{at}"
    await add(home, events=[journal_event(40138, at=at), journal_event(40101, at=at + 60_000, action="UPDATE")])
    assert await pull() == Pulled(seen=2, found=1, closed=1)
    leads = home.rows("SELECT DISTINCT lead_id FROM deliveries")
    assert len(leads) == 2, "all events of a contact are one lead"


async def test_the_contact_of_a_gap_is_fetched(home: House, pull: Any) -> None:
    await add(home, events=[journal_event(40101, at=round(time.time() * 1000) - 600_000)])
    await pull()
    lead = home.value("SELECT lead_id FROM deliveries")
    await home.run(lead)
    assert home.lead(lead)["company"] == "Quillmere"


async def test_what_is_no_lead_is_passed_over(home: House, pull: Any) -> None:
    at = round(time.time() * 1000) - 600_000
    other = [
        journal_event(1, at=at, objectTypeId="0-2"), journal_event(2, at=at, action="DELETE"),
        journal_event(3, at=at, occurredAt="soon"), journal_event(4, at=at, objectId="x"),
        journal_event(5, at=at, portalId=None), webhook_event(6, subscriptionType="company.creation"), "x", None, 7,
    ]  # fmt: skip
    await add(home, events=other)
    assert await pull() == Pulled(seen=len(other))
    assert keys(home) == []


async def test_files_are_read_in_order_and_once(home: House, pull: Any) -> None:
    for contact in range(40101, 40126):
        await add(home, events=[webhook_event(contact)])
    assert await pull() == Pulled(seen=25, found=25, closed=25)
    pages = [one for one in await paths(home) if one.startswith("earliest/") or "/next/" in one]
    assert (pages[0], len(pages), len(set(pages))) == ("earliest/20", 3, 3)
    assert await pull() == Pulled()
    await add(home, events=[webhook_event(50000)])
    assert await pull() == Pulled(seen=1, found=1, closed=1)


async def test_a_pause_longer_than_hubspot_keeps_events_begins_at_the_earliest(home: House, pull: Any) -> None:
    await add(home, events=[webhook_event(40101)])
    await pull()
    old = "jsonb_set(cursor, '{read_at}', '\"2026-01-01T00:00:00Z\"')"
    home.rows(f"UPDATE source_cursors SET cursor = jsonb_set({old}, '{{offset}}', '\"of a file that is gone\"')")
    assert await pull() == Pulled(seen=1)
    assert [one for one in await paths(home) if one.startswith("earliest/")] == ["earliest/20"] * 2


async def test_an_offset_that_is_gone_is_none(home: House, pull: Any) -> None:
    await add(home, events=[webhook_event(40101)])
    home.rows("INSERT INTO source_cursors (source, cursor) VALUES ('hubspot', '{\"offset\": \"gone\"}')")
    assert await pull() == Pulled(seen=1, found=1, closed=1)


async def test_a_token_that_has_ended_is_renewed_once() -> None:
    tokens: list[str] = []

    async def answer(request: Request) -> Response:
        if request.url.path == "/oauth/v1/token":
            form = dict(parse_qsl((await request.body()).decode()))
            assert (form["grant_type"], form["client_secret"]) == ("client_credentials", "secret")
            tokens.append(f"t{len(tokens) + 1}")
            return JSONResponse({"access_token": tokens[-1], "expires_in": 1800})
        good = request.headers["authorization"] == "Bearer t2"
        return JSONResponse({"results": []} if good else {}, 200 if good else 401)

    with VendorServer() as server:
        server.answer = answer
        journal = HubSpotJournal(server.url, "id", "secret", Outside())
        assert await journal.files(None) == []
        assert await journal.files("o") == []
        assert tokens == ["t1", "t2"]
        tokens[:] = ["", "", ""]
        other = HubSpotJournal(server.url, "id", "secret", Outside())
        with pytest.raises(UpstreamRejected, match="bad_key"):
            await other.files(None)
        assert tokens[3:] == ["t4", "t5"]
        await journal.aclose()
        await other.aclose()


async def test_a_young_event_is_left_to_the_webhook(home: House, pull: Any) -> None:
    await add(home, events=[webhook_event(40101)])
    await add(home, events=[webhook_event(40138), webhook_event(40175, seconds_ago=30)])
    await add(home, events=[webhook_event(40212)])
    assert await pull(grace=120) == Pulled(seen=3, found=2, closed=2)
    assert await pull() == Pulled(seen=3, found=2, closed=2)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data/", "blocked_address"),
        ("http://127.0.0.1:5432/", "blocked_address"),
        ("file:///etc/passwd", "blocked_scheme"),
    ],
)
async def test_a_file_in_our_own_network_is_not_fetched(home: House, pull: Any, url: str, reason: str) -> None:
    await add(home, url=url)
    with pytest.raises(UpstreamRejected) as caught:
        await pull()
    assert caught.value.reason == reason
    assert home.value("SELECT not_before > now() FROM source_cursors")


async def test_a_file_of_another_form_stops_the_pull(home: House, pull: Any) -> None:
    await add(home, events=[webhook_event(40101)])
    await add(home, url=home.sandbox.urls["hubspot"] + "/crm/objects/2026-09/contacts/none")
    with pytest.raises(UpstreamRejected, match="status_401"):
        await pull()
    assert len(keys(home)) == 1, "what came before it is stored"
