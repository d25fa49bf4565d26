"""The leads that are sent are distinct, are understood, and their proofs hold."""

from __future__ import annotations

import time
from base64 import b64encode
from pathlib import Path

import pytest

from revenueflow.bench.plan import Instance, Source, Target, fresh_campaign
from revenueflow.bench.requests import MARK, Requests
from revenueflow.errors import ConfigurationError
from revenueflow.sources import marketo, signatures

SECRET = "whsec_" + b64encode(b"0123456789abcdef").decode()
NUMBERS = range(0, 500, 7)


def _requests(source: Source) -> Requests:
    return Requests(Target(host="127.0.0.1", port=8000, source=source, secret=SECRET), "bench-1")


def _split(request: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), body


@pytest.mark.parametrize("source", Source)
def test_a_request_is_whole(source: Source) -> None:
    make = _requests(source)
    for number in NUMBERS:
        first, headers, body = _split(make(number))
        assert first == f"POST /webhooks/{source} HTTP/1.1"
        assert int(headers["content-length"]) == len(body)
        assert 500 < len(body) < 700
        assert MARK not in body


@pytest.mark.parametrize("source", Source)
def test_every_lead_is_a_person_of_its_own_in_the_campaign_of_the_run(source: Source) -> None:
    make, again = _requests(source), _requests(source)
    arrivals = [marketo.read(_split(one(n))[2], "application/json") for one in (make, again) for n in NUMBERS]
    assert all(one.understood and one.understood.campaign_id == "bench-1" for one in arrivals)
    emails = {one.understood.form.email for one in arrivals if one.understood}
    assert len(emails) == 2 * len(NUMBERS)
    assert all(email and email.endswith(".example") for email in emails)


def test_marketo_gets_its_secret() -> None:
    _, headers, _ = _split(_requests(Source.MARKETO)(3))
    assert signatures.shared_secret(headers["x-revenueflow-secret"], [SECRET])


def test_signed_leads_are_signed_over_their_own_body() -> None:
    make = _requests(Source.LEAD)
    for number in NUMBERS:
        _, headers, body = _split(make(number))
        assert signatures.standard_webhook(
            message_id=headers["webhook-id"],
            timestamp=headers["webhook-timestamp"],
            signatures=headers["webhook-signature"],
            body=body,
            secrets=[SECRET],
            now=time.time(),
            tolerance=60,
        )


def test_no_two_runs_share_a_campaign() -> None:
    assert fresh_campaign() != fresh_campaign()


@pytest.mark.parametrize("url", ["https://127.0.0.1", "127.0.0.1:8000", "ftp://x", ""])
def test_only_plain_http_can_be_measured(url: str) -> None:
    with pytest.raises(ConfigurationError, match="--url"):
        Target.at(url, Source.MARKETO, SECRET)


def test_an_instance_is_what_a_ports_file_says(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    path.write_text(
        '{"api": "http://127.0.0.1:81", "webhook_secrets": {"marketo": "m"}, "pids": {"api": 1, "relay": [2, 3]},'
        ' "mcp": null, "keys": {}}'
    )
    instance = Instance.read(path)
    assert instance.target(Source.MARKETO) == Target(host="127.0.0.1", port=81, source=Source.MARKETO, secret="m")
    assert instance.processes() == {"api": [1], "relay": [2, 3]}
    with pytest.raises(ConfigurationError, match="no secret of the webhook lead"):
        instance.target(Source.LEAD)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"api": 1}', '{"webhook_secrets": {"marketo": "hidden-value"}}'])
def test_another_file_is_refused_without_what_it_holds(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ports.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="--ports-file") as raised:
        Instance.read(path)
    assert "hidden-value" not in raised.value.detail
