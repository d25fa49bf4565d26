"""Who sends slowly is cut, who sends well is served meanwhile."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from revenueflow.devserver.cluster import DatabaseUrls
from tests.support import sql
from tests.support.api import Api, add_keys, api_settings, served, serving, settings_for

SECONDS = 0.6
SLOW = 400 if os.environ.get("REVENUEFLOW_FAULTS") != "full" else 2000
JSON = "Content-Type: application/json\r\n"
SECRET = "X-RevenueFlow-Secret: marketo-secret\r\n"


@pytest.fixture
def hurried(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> Iterator[Api]:
    short = api_settings(header_seconds=SECONDS, body_seconds=SECONDS)
    with served(settings_for(database.app_url, redis_url, tmp_path, api=short)) as client:
        yield Api(client, add_keys(database))


@contextmanager
def connected(api: Api) -> Iterator[socket.socket]:
    with socket.create_connection((api.client.base_url.host, api.client.base_url.port or 0), timeout=10) as raw:
        yield raw


def head(path: str, *lines: str) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{''.join(lines)}\r\n".encode()


def rest(raw: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    found = b""
    try:
        while part := raw.recv(65536):
            found += part
    except ConnectionResetError:
        pass
    return found


def drip(raw: socket.socket, part: Callable[[int], bytes], *, pause: float = 0.05) -> float:
    """Sends part after part until the other side has closed; returns the seconds. Raises TimeoutError."""
    begun = time.monotonic()
    raw.settimeout(pause)
    for n in range(200):
        try:
            raw.sendall(part(n))
            if not raw.recv(65536):
                return time.monotonic() - begun
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            return time.monotonic() - begun
    raise TimeoutError("never cut")


def test_a_connection_that_says_nothing_is_closed(hurried: Api) -> None:
    begun = time.monotonic()
    with connected(hurried) as raw:
        assert rest(raw) == b""
    assert time.monotonic() - begun > SECONDS * 0.8


@pytest.mark.parametrize(
    ("start", "part"),
    [
        (b"", lambda n: b"POST /webhooks/marketo HTTP/1.1\r\nHost: x\r\nX-Long: yes"[n : n + 1] or b"x"),
        (b"GET /livez HTTP/1.1\r\n", lambda n: f"X-{n}: y\r\n".encode()),
        (b"", lambda _: b"\r\n"),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", lambda _: b"\r\n"),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /", lambda _: b"x"),
    ],
    ids=["byte by byte", "headers without end", "blank lines", "blank lines after a request", "the second request"],
)
def test_headers_that_never_end_are_cut(hurried: Api, start: bytes, part: Callable[[int], bytes]) -> None:
    with connected(hurried) as raw:
        raw.sendall(start)
        assert drip(raw, part) < 5


@pytest.mark.parametrize("framing", ["Content-Length: 4000\r\n", "Transfer-Encoding: chunked\r\n"])
@pytest.mark.parametrize("path", ["/webhooks/marketo", "/webhooks/lead", "/webhooks/hubspot", "/v1/leads"])
def test_a_body_that_is_late_gets_408_and_the_connection_ends(hurried: Api, path: str, framing: str) -> None:
    key = f"Authorization: {hurried.as_role('ingest')['Authorization']}\r\n"
    with connected(hurried) as raw:
        raw.sendall(head(path, SECRET, key, JSON, framing))
        answer = rest(raw)
    told, _, document = answer.partition(b"\r\n\r\n")
    assert told.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in told.lower()
    assert (b"ratelimit:" in told.lower()) == path.startswith("/v1/")
    assert orjson.loads(document)["type"] == "urn:revenueflow:problem:too_slow"


def test_a_body_that_comes_byte_by_byte_is_late_as_a_whole(hurried: Api) -> None:
    with connected(hurried) as raw:
        raw.sendall(head("/webhooks/marketo", SECRET, "Content-Length: 4000\r\n"))
        assert drip(raw, lambda _: b" ") < 5


@pytest.mark.parametrize("path", ["/webhooks/marketo", "/livez", "/nowhere"])
@pytest.mark.parametrize("part", [b"5\r\nabcde\r\n", b"1;" + b"x" * 100 + b"\r\na\r\n"])
def test_the_rest_of_a_body_that_nobody_wants_is_cut(hurried: Api, path: str, part: bytes) -> None:
    """The answer is early: without the secret, or because no handler reads a body."""
    with connected(hurried) as raw:
        raw.sendall(head(path, "Transfer-Encoding: chunked\r\n"))
        assert raw.recv(65536).startswith(b"HTTP/1.1 40")
        assert drip(raw, lambda _: part) < 5


def test_headers_and_trailers_have_a_bound(hurried: Api) -> None:
    long = b"X-Long: " + b"x" * 2**20
    chunked = head("/webhooks/marketo", SECRET, "Transfer-Encoding: chunked\r\n") + b"2\r\n{}\r\n"
    for start in (b"GET /livez HTTP/1.1\r\n", b"GET /" + b"x" * 2**20, chunked + b"0\r\n", chunked + b"1;"):
        begun = time.monotonic()
        with connected(hurried) as raw:
            try:
                raw.sendall(start + long)
            except (ConnectionResetError, BrokenPipeError):
                continue
            assert b" 200 " not in rest(raw)
        assert time.monotonic() - begun < SECONDS, "by its size, not by its time"


def test_a_trailer_is_no_header(hurried: Api) -> None:
    with connected(hurried) as raw:
        key = hurried.as_role("ingest")["Authorization"]
        start = head("/webhooks/lead", "Connection: close\r\n", "Transfer-Encoding: chunked\r\n")
        raw.sendall(start + b"2\r\n{}\r\n0\r\nAuthorization: " + key.encode() + b"\r\n\r\n")
        assert rest(raw).startswith(b"HTTP/1.1 401 ")


def whole(raw: socket.socket) -> bytes:
    """One answer to its end: head and body may come in parts of their own."""
    got = b""
    while not got.endswith(b'{"status":"ok"}'):
        part = raw.recv(65536)
        assert part, got
        got += part
    return got


def test_good_senders_keep_their_connection(hurried: Api) -> None:
    asked = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    with connected(hurried) as raw:
        for _ in range(3):
            raw.sendall(asked)
            assert whole(raw).startswith(b"HTTP/1.1 200")
            time.sleep(SECONDS * 1.5)  # idle for longer than headers may take
        raw.sendall(asked * 4 + asked.replace(b"Host: x", b"Connection: close"))
        assert rest(raw).count(b"HTTP/1.1 200") == 5


def upload(api: Api, pieces: Iterator[bytes]) -> int:
    headers = api.as_role("ingest") | {"content-type": "multipart/form-data; boundary=x"}
    return api.client.post("/v1/imports", content=pieces, headers=headers).status_code


def test_an_upload_has_time_as_long_as_it_moves(hurried: Api, database: DatabaseUrls) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nemail\r\n'
        for n in range(8):
            time.sleep(SECONDS / 4)
            yield f"p{n}@x.example\r\n".encode()
        yield b"\r\n--x--\r\n"

    assert upload(hurried, pieces()) == 202
    assert sql.value(database.app_url, "SELECT count(*) FROM deliveries") == 8


def test_an_upload_that_stops_is_cut(hurried: Api) -> None:
    key = f"Authorization: {hurried.as_role('ingest')['Authorization']}\r\n"
    kind = "Content-Type: multipart/form-data; boundary=x\r\n"
    with connected(hurried) as raw:
        raw.sendall(head("/v1/imports", key, kind, "Content-Length: 9000\r\n") + b"--x\r\n")
        assert rest(raw).startswith(b"HTTP/1.1 408 ")


async def slow(port: int, n: int) -> None:
    """One slow sender: it ends when the other side cuts it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    start = (b"", b"POST /webhooks/marketo HTTP/1.1\r\n", head("/webhooks/marketo", SECRET, "Content-Length: 200\r\n"))
    writer.write(start[n % 3])
    ended = asyncio.create_task(reader.read())
    while not ended.done():
        if n % 3:
            writer.write(b"x")
        await asyncio.wait({ended}, timeout=0.25)
    with_error = ended.exception()
    assert with_error is None or isinstance(with_error, ConnectionError)
    writer.close()


async def good(port: int, until: asyncio.Future[object]) -> list[tuple[int, float]]:
    """Good requests, each on a connection of its own, until something is over: status and seconds of each."""
    done: list[tuple[int, float]] = []
    while not until.done():
        begun = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = orjson.dumps({"email": f"p{len(done)}-{id(until)}@x.example"})
        lines = (
            SECRET,
            "Content-Type: application/json\r\n",
            f"Content-Length: {len(body)}\r\n",
            "Connection: close\r\n",
        )
        writer.write(head("/webhooks/marketo", *lines) + body)
        answer = await reader.read()
        done.append((int(answer.split(b" ", 2)[1]), time.monotonic() - begun))
        writer.close()
    return done


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc")
def test_many_slow_senders_are_cut_and_good_ones_served(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * SLOW + 1000)), hard))
    short = {"REVENUEFLOW_HEADER_SECONDS": "2", "REVENUEFLOW_BODY_SECONDS": "2"}

    async def run(port: int) -> list[tuple[int, float]]:
        attack = asyncio.gather(*(slow(port, n) for n in range(SLOW)))
        served_meanwhile = await asyncio.wait_for(good(port, attack), 60)
        await attack
        return served_meanwhile

    with serving(database.app_url, redis_url, tmp_path, **short) as (port, pid):
        answers = asyncio.run(run(port))
        left = [link for link in Path(f"/proc/{pid}/fd").iterdir() if link.exists()]
    assert {status for status, _ in answers} == {202}
    assert sql.value(database.app_url, "SELECT count(*) FROM deliveries") == len(answers)
    assert len(left) < 100
    times = sorted(seconds for _, seconds in answers)
    p99 = times[int(len(times) * 0.99)] * 1000
    print(f"{SLOW} slow senders; {len(times)} good requests, p99 {p99:.1f} ms")  # noqa: T201 - the figure of row 18
