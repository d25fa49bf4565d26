"""What each sender's body becomes: an arrival with its key, understood or with a reason."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import orjson
import pytest

from revenueflow.domain.lead import LeadForm
from revenueflow.errors import InvalidInput, MalformedInput, UnsupportedMedia
from revenueflow.privacy.identity import IdentityKey
from revenueflow.sources import api, generic, hubspot, marketo
from revenueflow.sources.arrival import identify

JSON = "application/json"
EVENT = {
    "objectId": 101, "eventId": 1, "subscriptionId": 7, "portalId": 62515, "appId": 54321,
    "occurredAt": 1795000000000, "subscriptionType": "contact.creation", "attemptNumber": 0,
}  # fmt: skip


def test_marketo_json_and_form_say_the_same() -> None:
    form = LeadForm(email="dana@x.example", name="Dana Reyes", headcount="40")
    as_json = marketo.read(
        b'{"Email Address":"dana@x.example","First Name":"Dana","Last Name":"Reyes","Number of Employees":40}', JSON
    )
    as_form = marketo.read(
        b"Email+Address=dana%40x.example&First%20Name=Dana&Last+Name=Reyes&Number+of+Employees=40",
        "application/x-www-form-urlencoded; charset=utf-8",
    )
    for one in (as_json, as_form):
        assert one.understood is not None
        assert one.understood.form == form
        assert one.source == "marketo"
        assert one.delivery_key == sha256(one.raw).hexdigest()


def test_marketo_is_known_by_the_header_that_the_operator_names() -> None:
    assert marketo.read(b"{}", JSON, "delivery-7").delivery_key == "delivery-7"


def test_generic_takes_an_id_of_the_senders_own() -> None:
    one = generic.read(b'{"id": 17, "name": "Dana"}', JSON)
    assert identify(one, IdentityKey(b"k" * 32)).lead_id is not None
    assert one.own_id == "17"


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff\xfe", b'{"email": NaN}'])
def test_what_cant_be_read_is_kept_as_it_came(raw: bytes) -> None:
    one = generic.read(raw, JSON)
    assert (one.raw, one.understood) == (raw, None)
    assert one.reason


def events(*given: object) -> list[Any]:
    return hubspot.read(orjson.dumps(list(given)))


def test_hubspot_keys_each_event_by_five_parts() -> None:
    one, other = events(EVENT, EVENT | {"eventId": 2})
    assert one.delivery_key == "62515:7:1:101:1795000000000"
    assert hubspot.contact_id(one.delivery_key) == "101"
    assert one.delivery_key != other.delivery_key
    lead = identify(one, IdentityKey(b"k" * 32)).lead_id
    assert lead == identify(other, IdentityKey(b"k" * 32)).lead_id
    assert lead != identify(events(EVENT | {"portalId": 1})[0], IdentityKey(b"k" * 32)).lead_id


def test_a_repeated_attempt_is_the_same_delivery() -> None:
    one, again = events(EVENT, EVENT | {"attemptNumber": 3})
    assert one.delivery_key == again.delivery_key


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({}, "not_an_event"),
        ("text", "not_an_event"),
        (None, "not_an_event"),
        ([EVENT], "not_an_event"),
        (EVENT | {"objectId": "101"}, "not_an_event"),
        (EVENT | {"objectId": True}, "not_an_event"),
        (EVENT | {"occurredAt": 1.5}, "not_an_event"),
        (EVENT | {"subscriptionType": "deal.creation"}, "not_a_contact_event"),
        (EVENT | {"subscriptionType": None}, "not_a_contact_event"),
    ],
)
def test_one_bad_event_does_not_cost_the_others(event: object, reason: str) -> None:
    before, bad, after = events(EVENT, event, EVENT | {"eventId": 2})
    assert (bad.understood, bad.reason, orjson.loads(bad.raw)) == (None, reason, event)
    assert before.understood
    assert after.understood


def test_an_event_that_is_too_deep_to_write_again_is_kept_with_the_whole_body() -> None:
    body = b'[{"a":' + b"[" * 500 + b"]" * 500 + b"}," + orjson.dumps(EVENT) + b"]"
    deep, good = hubspot.read(body)
    assert (deep.raw, deep.reason) == (body, "nested_too_deep")
    assert good.understood


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty_body"),
        (b"[{]", "malformed_json"),
        (orjson.dumps(EVENT), "not_an_array_of_events"),
        (orjson.dumps([EVENT] * 101), "not_an_array_of_events"),
    ],
)
def test_a_body_that_is_no_array_of_events_is_one_arrival(raw: bytes, reason: str) -> None:
    (one,) = hubspot.read(raw)
    assert (one.raw, one.reason, one.understood) == (raw, reason, None)


def test_an_empty_array_holds_nothing() -> None:
    assert hubspot.read(b"[]") == []


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/ld+json"])
def test_our_api_takes_json_only(kind: str) -> None:
    with pytest.raises(UnsupportedMedia):
        api.read(b"{}", kind, None)


@pytest.mark.parametrize("raw", [b"", b"{", b'{"email": "secret" oops}', b"\xff", b'{"a": NaN}'])
def test_our_api_says_where_json_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedInput) as caught:
        api.read(raw, JSON, None)
    assert "line 1, column" in caught.value.faults[0].detail
    assert "secret" not in f"{caught.value} {caught.value.faults}"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ([], [""]),
        ("text", [""]),
        ({}, ["/email"]),
        ({"company": "Acme"}, ["/email"]),
        ({"email": None}, ["/email"]),
        ({"E-Mail": "secret at x"}, ["/E-Mail"]),
        ({"email": ["secret"]}, ["/email", "/email"]),
        ({"email": "a@x.example", "jobTitle": {"secret": 1}, "phone": True}, ["/jobTitle", "/phone"]),
        ({"linkedin_url": "https://secret.example/in/x"}, ["/email"]),
    ],
)
def test_our_api_names_each_place_and_no_value(body: object, pointers: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        api.read(orjson.dumps(body), JSON, None)
    assert [fault.pointer for fault in caught.value.faults] == pointers
    assert "secret" not in f"{caught.value} {caught.value.faults}"


@pytest.mark.parametrize(
    "body",
    [{"email": "a@x.example"}, {"linkedin": "linkedin.com/in/a"}, {"id": 1}, {"email": "a@x.example", "zzz": [1]}],
)
def test_our_api_takes_any_identity_and_unknown_fields(body: dict[str, object]) -> None:
    assert api.read(orjson.dumps(body), f"{JSON}; charset=utf-8", None).understood
