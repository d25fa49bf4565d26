"""The HTTP client against raw sockets: what is raised, and how often an upstream is asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from revenueflow.errors import OutcomeUnknown, UpstreamRejected, UpstreamUnavailable
from revenueflow.resilience.http import counting, new_client
from revenueflow.resilience.upstream import HttpUpstream, Meaning, retry_after

Reply = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Peer:
    """A raw server: each connection is given the next reply, the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.heads: list[str] = []
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        try:
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            await reply(reader, writer)
        finally:
            writer.close()


@asynccontextmanager
async def peer(*replies: Reply) -> AsyncIterator[Peer]:
    one = Peer(*replies)
    server = await asyncio.start_server(one.handle, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield one
    finally:
        server.close()


def http(status: int, body: bytes = b"{}", *headers: str) -> Reply:
    lines = [f"HTTP/1.1 {status} x", f"content-length: {len(body)}", "connection: close", *headers]

    async def reply(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return reply


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def hang_up(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    return


async def half_an_answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"a":')
    await writer.drain()


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never silent for long, never done."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        await writer.drain()


@asynccontextmanager
async def upstream(url: str, **more: object) -> AsyncIterator[HttpUpstream]:
    one = HttpUpstream("vendor", url, timeout=0.4, **more)  # type: ignore[arg-type]
    try:
        yield one
    finally:
        await one.aclose()


async def refusing_url() -> str:
    """The address of a port where nobody listens any more."""
    server = await asyncio.start_server(silence, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return f"http://127.0.0.1:{port}"


async def test_an_answer_carries_status_headers_and_data() -> None:
    async with peer(http(201, b'{"id": 7}', "x-quota: 5")) as server, upstream(server.url) as vendor:
        answer = await vendor.request("POST", "/records", json={"a": 1}, headers={"x-one": "1"})
    assert (answer.status, answer.data, answer.headers["X-Quota"]) == (201, {"id": 7}, "5")
    head = server.heads[0].lower()
    assert head.startswith("post /records http/1.1")
    assert "user-agent: revenueflow/" in head
    assert "accept-encoding: identity" in head
    assert "x-one: 1" in head
    assert "content-type: application/json" in head


async def test_a_plus_in_a_parameter_stays_a_plus() -> None:
    async with peer(http(200)) as server, upstream(server.url) as vendor:
        await vendor.request("GET", "/find", params={"email": "a+b@acme.example"})
    assert "email=a%2Bb%40acme.example" in server.heads[0]


@pytest.mark.parametrize(
    ("body", "own", "form", "length"),
    [
        ({"json": {"a": 1}}, {}, "application/json", 7),
        ({"json": {"a": 1}}, {"content-type": "application/vnd.api+json"}, "application/vnd.api+json", 7),
        ({"form": {"a": "x y&z"}}, {}, "application/x-www-form-urlencoded", 9),
    ],
)
async def test_a_body_says_its_form(body: dict[str, Any], own: dict[str, str], form: str, length: int) -> None:
    async with peer(http(200)) as one, upstream(one.url) as client:
        await client.request("POST", "/x", headers=own, **body)
    head = one.heads[0].lower()
    assert [line for line in head.split("\r\n") if line.startswith("content-")] == [
        f"content-type: {form}",
        f"content-length: {length}",
    ]


async def test_a_read_is_tried_again_until_it_answers() -> None:
    async with peer(http(503), hang_up, http(200, b"[1]")) as server, upstream(server.url) as vendor:
        answer = await vendor.request("GET", "/")
    assert answer.data == [1]
    assert len(server.heads) == 3


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (silence, "timeout"),
        (drip, "timeout"),
        (hang_up, "connection_lost"),
        (half_an_answer, "connection_lost"),
        (http(500), "server_error"),
        (http(429), "rate_limited"),
    ],
)
async def test_a_read_without_an_answer_is_unavailable(reply: Reply, reason: str) -> None:
    async with peer(reply) as server, upstream(server.url) as vendor:
        with pytest.raises(UpstreamUnavailable) as caught:
            await vendor.request("GET", "/", tries=2)
    assert caught.value.reason == reason
    assert len(server.heads) == 2


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (silence, "timeout"),
        (hang_up, "connection_lost"),
        (half_an_answer, "connection_lost"),
        (http(503), "server_error"),
        (http(408), "timeout"),
        (http(200, b"not json"), "malformed"),
        (http(202), "status_202"),
        (endless, "answer_too_large"),
    ],
)
async def test_a_write_without_a_clear_answer_is_unknown_and_not_repeated(
    method: str, reply: Reply, reason: str
) -> None:
    async with peer(reply) as server, upstream(server.url, cap=100_000) as vendor:
        with pytest.raises(OutcomeUnknown) as caught:
            await vendor.request(method, "/", json={})
    assert caught.value.reason == reason
    assert len(server.heads) == 1


async def test_a_write_that_could_not_connect_was_not_executed() -> None:
    async with upstream(await refusing_url()) as vendor:
        with pytest.raises(UpstreamUnavailable) as caught:
            await vendor.request("PUT", "/", json={}, tries=2)
    assert caught.value.reason == "unreachable"


async def test_a_write_that_was_limited_is_tried_again() -> None:
    async with peer(http(429, b"", "retry-after: 0"), http(200)) as server, upstream(server.url) as vendor:
        assert (await vendor.request("PUT", "/", json={})).status == 200
    assert len(server.heads) == 2


@pytest.mark.parametrize(
    ("status", "reason"), [(400, "bad_request"), (401, "bad_key"), (402, "quota"), (418, "status_418")]
)
async def test_a_refusal_is_not_repeated(status: int, reason: str) -> None:
    async with peer(http(status)) as server, upstream(server.url) as vendor:
        with pytest.raises(UpstreamRejected) as caught:
            await vendor.request("PUT", "/", json={})
    assert caught.value.reason == reason
    assert len(server.heads) == 1


async def test_a_vendor_can_mean_something_else_by_a_status() -> None:
    meanings = {403: Meaning(UpstreamUnavailable, "rate_limited")}
    async with peer(http(403), http(200)) as server, upstream(server.url, meanings=meanings) as vendor:
        assert (await vendor.request("GET", "/")).status == 200


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (http(200, b"<html>"), "malformed"),
        (http(200, b'{"a": NaN}'), "malformed"),
        (http(200, b"[" * 5000), "malformed"),
        (http(200, b"\x1f\x8b", "content-encoding: gzip"), "encoded"),
        (endless, "answer_too_large"),
    ],
)
async def test_an_answer_that_cannot_be_used_is_rejected(reply: Reply, reason: str) -> None:
    async with peer(reply) as server, upstream(server.url, cap=100_000) as vendor:
        with pytest.raises(UpstreamRejected) as caught:
            await vendor.request("GET", "/")
    assert caught.value.reason == reason
    assert len(server.heads) == 1


async def test_a_redirect_is_not_followed() -> None:
    async with (
        peer(http(200)) as target,
        peer(http(302, b"", f"location: {target.url}")) as server,
        upstream(server.url) as vendor,
    ):
        with pytest.raises(UpstreamRejected) as caught:
            await vendor.request("GET", "/")
    assert caught.value.reason == "status_302"
    assert target.heads == []


async def test_an_allowed_status_needs_no_json() -> None:
    async with peer(http(404, b"<html>")) as server, upstream(server.url) as vendor:
        answer = await vendor.request("GET", "/", allow=(200, 404))
    assert (answer.status, answer.data) == (404, None)


async def test_a_pause_beyond_the_budget_is_left_to_the_caller() -> None:
    async with peer(http(429, b"", "retry-after: 3600")) as server, upstream(server.url) as vendor:
        with pytest.raises(UpstreamUnavailable) as caught:
            await vendor.request("GET", "/", budget=5)
    assert caught.value.retry_after == 3600
    assert len(server.heads) == 1


async def test_a_pause_within_the_budget_is_kept() -> None:
    async with peer(http(429, b"", "retry-after: 1"), http(200)) as server, upstream(server.url) as vendor:
        begun = asyncio.get_running_loop().time()
        await vendor.request("GET", "/", budget=5)
        assert asyncio.get_running_loop().time() - begun >= 1
    assert len(server.heads) == 2


async def test_requests_that_were_sent_are_counted() -> None:
    async with peer(http(500), http(200)) as server, upstream(server.url) as vendor:
        with counting() as calls:
            await vendor.request("GET", "/")
    assert calls.sent == 2


async def test_nothing_is_counted_that_was_not_sent() -> None:
    async with upstream(await refusing_url()) as vendor:
        with counting() as calls, pytest.raises(UpstreamUnavailable):
            await vendor.request("GET", "/", tries=1)
    assert calls.sent == 0


async def test_upstreams_share_a_client_and_leave_it_open() -> None:
    async with peer(http(200)) as server, new_client() as client:
        for name in ("one", "two"):
            vendor = HttpUpstream(name, server.url, client=client)
            await vendor.request("GET", "/")
            await vendor.aclose()
        assert not client.is_closed


async def test_no_log_line_holds_the_url(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with peer(http(500), http(200)) as server, upstream(server.url) as vendor:
            await vendor.request("GET", "/", params={"email": "canary@acme.example"})
    assert "canary" not in caplog.text


async def test_a_header_that_cannot_be_sent_is_rejected_without_its_value() -> None:
    headers = {"authorization": "Bearer canary\nb"}
    async with peer(http(200)) as server, upstream(server.url, headers=headers) as vendor:
        with pytest.raises(UpstreamRejected) as caught:
            await vendor.request("PUT", "/", json={})
    assert str(caught.value) == "vendor: request_not_possible"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("Sat, 21 Nov 2026 10:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 09:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    now = datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert retry_after({"retry-after": text}, now) == seconds
