"""Proofs of senders: nothing but the right one, in time, opens."""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from revenueflow.sources.signatures import hubspot_v3, shared_secret, standard_webhook

NOW = 1_795_000_000.0
URL = "https://hooks.customer.example/webhooks/hubspot"
BODY = '[{"eventId":1,"name":"Größe"}]'.encode()
KEY = b"a secret of some bytes"
WHSEC = "whsec_" + base64.b64encode(KEY).decode()


def test_a_shared_secret() -> None:
    assert shared_secret("new", ["old", "new"])
    assert shared_secret("old", ["old", "new"])
    for given_, secrets in (("", ["x"]), (None, ["x"]), ("x", []), ("", []), (None, []), ("X", ["x"]), ("x ", ["x"])):
        assert not shared_secret(given_, secrets)


def hubspot_sign(*, url: str = URL, body: bytes = BODY, stamp: str = "1795000000000", key: str = "s") -> str:
    return base64.b64encode(hmac.digest(key.encode(), b"POST" + url.encode() + body + stamp.encode(), sha256)).decode()


def hubspot(given_: str | None, **changed: Any) -> bool:
    call = {
        "method": "POST", "url": URL, "body": BODY, "timestamp": "1795000000000", "signature": given_,
        "secrets": ["s"], "now": NOW, "tolerance": 300.0,
    }  # fmt: skip
    return hubspot_v3(**(call | changed))


def test_hubspot_signature() -> None:
    assert hubspot(hubspot_sign())
    assert hubspot(hubspot_sign(key="new"), secrets=["s", "new"])


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "PUT"}, {"url": URL + "?x=1"}, {"url": URL.replace("https", "http")}, {"body": BODY + b" "},
        {"timestamp": "1794999999999"}, {"secrets": []}, {"secrets": ["t"]}, {"secrets": [""]},
        {"signature": None}, {"signature": ""}, {"signature": "é"},
    ],
)  # fmt: skip
def test_hubspot_refuses_what_was_not_signed(changed: dict[str, Any]) -> None:
    assert not hubspot(hubspot_sign(), **changed)


@pytest.mark.parametrize(
    ("age", "good"), [(0, True), (299.9, True), (300, True), (300.1, False), (-0.1, False), (-60, False)]
)
def test_hubspot_refuses_old_and_future_ones(age: float, good: bool) -> None:
    assert hubspot(hubspot_sign(), now=NOW + age) is good


@pytest.mark.parametrize(
    "stamp", ["", "now", "-1", "1e12", "1795000000000.0", " 1795000000000", "9" * 5000, "١٧٩٥٠٠٠٠٠٠٠٠٠"]
)
def test_hubspot_timestamps_that_are_none(stamp: str) -> None:
    assert not hubspot(hubspot_sign(stamp=stamp), timestamp=stamp)


def test_hubspot_signs_a_query_with_some_characters_decoded() -> None:
    signed = f"{URL}?a=1:/?@!$'()*,;&b=%26%3D%20%C3%BC"
    sent = f"{URL}?a=1%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B&b=%26%3D%20%C3%BC"
    assert hubspot(hubspot_sign(url=signed), url=sent)
    assert hubspot(hubspot_sign(url=signed), url=sent.replace("%3A", "%3a").replace("%2F", "%2f"))
    assert not hubspot(hubspot_sign(url=f"{URL}?b=&"), url=f"{URL}?b=%26")


def standard_sign(*, id_: str = "msg_1", stamp: str = "1795000000", body: bytes = BODY, key: bytes = KEY) -> str:
    return "v1," + base64.b64encode(hmac.digest(key, f"{id_}.{stamp}.".encode() + body, sha256)).decode()


def standard(given_: str | None, **changed: Any) -> bool:
    call = {
        "message_id": "msg_1", "timestamp": "1795000000", "signatures": given_, "body": BODY,
        "secrets": [WHSEC], "now": NOW, "tolerance": 300.0,
    }  # fmt: skip
    return standard_webhook(**(call | changed))


def test_the_published_example_of_standard_webhooks() -> None:
    assert standard_webhook(
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp="1614265330", body=b'{"test": 2432232314}',
        signatures="v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        now=1614265330.0, tolerance=300,
    )  # fmt: skip


def test_one_of_several_signatures_and_secrets_is_enough() -> None:
    other = standard_sign(key=b"another")
    assert standard(f"{other} v1a,xyz {standard_sign()}")
    assert standard(standard_sign(key=b"plain secret!"), secrets=[WHSEC, "plain secret!"])


@pytest.mark.parametrize(
    "changed",
    [
        {"message_id": "msg_2"}, {"message_id": None}, {"message_id": ""}, {"timestamp": "1795000001"},
        {"timestamp": None}, {"timestamp": "9" * 5000}, {"timestamp": "x"}, {"body": b""}, {"secrets": []},
        {"secrets": ["whsec_" + base64.b64encode(b"x").decode()]}, {"signatures": None}, {"signatures": ""},
        {"signatures": standard_sign().removeprefix("v1,")}, {"signatures": standard_sign().replace("v1,", "v2,")},
        {"now": NOW + 301}, {"now": NOW - 301},
    ],
)  # fmt: skip
def test_standard_webhooks_refuse_what_was_not_signed(changed: dict[str, Any]) -> None:
    assert not standard(standard_sign(), **changed)


@given(some.text(), some.text(), some.binary())
def test_no_header_breaks_it(stamp: str, signature: str, body: bytes) -> None:
    assert not hubspot(signature, timestamp=stamp, body=body)
    assert not standard(signature, timestamp=stamp, body=body)
