"""What is signed wrongly is not stored; what is malformed is refused or set aside, in flat memory."""

from __future__ import annotations

import gzip
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import orjson
import pytest

from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.privacy.identity import lead_id
from tests.support import sql
from tests.support.api import (
    MARKETO_HEADERS,
    Api,
    add_keys,
    hubspot_headers,
    identity,
    serving,
    standard_headers,
)
from tests.support.servers import Servers

CAP = 256 * 1024
JSON = {"content-type": "application/json"}
DAY = 86_400
ROOMY = {"REVENUEFLOW_UNAUTHENTICATED_LIMIT": "100000", "REVENUEFLOW_KEY_LIMIT": "100000"}
WEBHOOKS = ["/webhooks/marketo", "/webhooks/lead", "/webhooks/hubspot"]


@dataclass(frozen=True, slots=True)
class Process:
    """The API as a process of its own, with the caps of production."""

    api: Api
    pid: int
    port: int

    def post(self, path: str, body: bytes, **headers: str) -> httpx2.Response:
        """A request with whatever proof the path takes."""
        given = self.proof(path, body) | JSON | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.api.client.post(path, content=body, headers=given)

    def proof(self, path: str, body: bytes) -> dict[str, str]:
        """What shows that the sender is who he says."""
        if path == "/webhooks/hubspot":
            return hubspot_headers(body)
        return MARKETO_HEADERS if path == "/webhooks/marketo" else self.api.as_role("ingest")

    def resident(self) -> int:
        """MiB of memory."""
        (line,) = [x for x in Path(f"/proc/{self.pid}/status").read_text().splitlines() if x.startswith("VmRSS:")]
        return int(line.split()[1]) // 1024


@pytest.fixture(scope="module")
def process(
    worker_database: DatabaseUrls, servers: Servers, worker_number: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    folder = tmp_path_factory.mktemp("process")
    with (
        serving(worker_database.app_url, servers.redis_database(worker_number), folder, **ROOMY) as (port, pid),
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client,
    ):
        yield Process(Api(client, add_keys(worker_database)), pid, port)


def stored(database: DatabaseUrls) -> int:
    count: int = sql.value(database.app_url, "SELECT count(*) FROM deliveries")
    return count


@pytest.mark.parametrize(
    "wrong",
    [
        "another body", "another secret", "an hour old", "an hour ahead", "another url", "another timestamp",
        "no signature", "cut short",
    ],
)  # fmt: skip
def test_hubspot_signatures_that_do_not_hold(api: Api, database: DatabaseUrls, wrong: str) -> None:
    body, now = b'[{"objectId": 1, "eventId": 1}]', time.time()
    headers = hubspot_headers(body)
    given = {
        "another body": hubspot_headers(b"[]"),
        "another secret": hubspot_headers(body, secret="the one before the last"),
        "an hour old": hubspot_headers(body, at=now - 3600),
        "an hour ahead": hubspot_headers(body, at=now + 3600),
        "another url": hubspot_headers(body, url="https://other.example/webhooks/hubspot"),
        "another timestamp": headers | {"X-HubSpot-Request-Timestamp": str(int(now * 1000) - 5000)},
        "no signature": {"X-HubSpot-Request-Timestamp": headers["X-HubSpot-Request-Timestamp"]},
        "cut short": headers | {"X-HubSpot-Signature-v3": headers["X-HubSpot-Signature-v3"][:-4]},
    }[wrong]
    assert api.client.post("/webhooks/hubspot", content=body, headers=given).status_code == 401
    assert stored(database) == 0
    assert api.client.post("/webhooks/hubspot", content=body, headers=headers).status_code == 202


@pytest.mark.parametrize(
    "wrong", ["another body", "another id", "an hour old", "an hour ahead", "another timestamp", "no time", "version 2"]
)
def test_standard_signatures_that_do_not_hold(api: Api, database: DatabaseUrls, wrong: str) -> None:
    body, now = b'{"email": "a@x.example"}', time.time()
    headers = standard_headers(body, id_="one")
    given = {
        "another body": standard_headers(b"{}", id_="one"),
        "another id": headers | {"webhook-id": "two"},
        "an hour old": standard_headers(body, id_="one", at=now - 3600),
        "an hour ahead": standard_headers(body, id_="one", at=now + 3600),
        "another timestamp": headers | {"webhook-timestamp": str(int(now) - 5)},
        "no time": {name: value for name, value in headers.items() if name != "webhook-timestamp"},
        "version 2": headers | {"webhook-signature": headers["webhook-signature"].replace("v1,", "v2,")},
    }[wrong]
    assert api.client.post("/webhooks/lead", content=body, headers=given | JSON).status_code == 401
    assert stored(database) == 0
    assert api.client.post("/webhooks/lead", content=body, headers=headers | JSON).status_code == 202


def test_a_signed_request_that_is_replayed_is_answered_and_kept_once(api: Api, database: DatabaseUrls) -> None:
    """Within the window a replay looks like the sender's own retry; after it, it is refused."""
    body = b'{"email": "a@x.example"}'
    headers = standard_headers(body, id_="one") | JSON
    statuses = [api.client.post("/webhooks/lead", content=body, headers=headers).json()["status"] for _ in range(3)]
    assert statuses == ["accepted", "duplicate", "duplicate"]
    assert sql.value(database.app_url, "SELECT count(*) FROM jobs") == 1
    old = standard_headers(body, id_="one", at=time.time() - DAY) | JSON
    assert api.client.post("/webhooks/lead", content=body, headers=old).status_code == 401


BOMB = gzip.compress(bytes(64 * 2**20))
MALFORMED = {
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep object": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    "NaN": b'{"email": "a@x.example", "score": NaN}',
    "infinity": b'{"email": "a@x.example", "score": -Infinity}',
    "huge number": b'{"email": "a@x.example", "score": 1e999}',
    "NUL byte": b'{"email": "a\x00@x.example"}',
    "latin-1": '{"email": "a@x.example", "name": "Jürgen"}'.encode("latin-1"),
    "utf-16": '{"email": "a@x.example"}'.encode("utf-16"),
    "lone surrogate": b'{"email": "a@x.example", "name": "\\ud800"}',
    "gzip that is not announced": gzip.compress(b'{"email": "a@x.example"}'),
}


def set_aside(answer: httpx2.Response) -> bool:
    told = answer.json()
    return told.get("status") in ("quarantined", "duplicate") or bool(told.get("quarantined") or told.get("duplicates"))


@pytest.mark.parametrize("name", MALFORMED)
def test_bodies_that_are_no_json(process: Process, name: str) -> None:
    refused = process.post("/v1/leads", MALFORMED[name])
    assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json")
    for path in WEBHOOKS:
        answer = process.post(path, MALFORMED[name])
        assert answer.status_code == 202, path
        assert set_aside(answer), path


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP", "gzip, identity", "unheard-of"])
def test_what_is_compressed_is_not_inflated(process: Process, encoding: str) -> None:
    for path in ("/v1/leads", "/v1/imports"):
        kind = {"content_type": "multipart/form-data; boundary=x"} if path == "/v1/imports" else {}
        refused = process.post(path, BOMB, content_encoding=encoding, **kind)
        assert (refused.status_code, refused.json()["type"]) == (415, "urn:revenueflow:problem:unsupported_media")
    for path in WEBHOOKS:
        answer = process.post(path, BOMB, content_encoding=encoding)
        assert (answer.status_code, bool(set_aside(answer))) == (202, True), path
    plain = orjson.dumps({"email": f"{secrets.token_hex(6)}@x.example"})
    assert process.post("/v1/leads", plain, content_encoding="identity").status_code == 202


@pytest.mark.parametrize("path", [*WEBHOOKS, "/v1/leads"])
def test_the_cap(process: Process, path: str) -> None:
    assert process.post(path, b" " * (CAP + 1)).status_code == 413
    headers = process.proof(path, b"") | JSON
    pieces = (b" " * 65_536 for _ in range(5))
    assert process.api.client.post(path, content=pieces, headers=headers).status_code == 413
    assert process.post(path, b" " * CAP).status_code in (202, 400)


def test_the_last_of_two_equal_keys_counts(process: Process) -> None:
    """As most readers of JSON do it; what another value would have meant is in the raw body, which is kept."""
    for path in ("/v1/leads", "/webhooks/lead", "/webhooks/marketo"):
        first, last = (f"{secrets.token_hex(6)}@x.example" for _ in range(2))
        answer = process.post(path, f'{{"email": "{first}", "email": "{last}"}}'.encode())
        assert answer.status_code == 202
        assert answer.json()["lead_id"] == str(lead_id(identity().derive("email", last), "default"))


@pytest.mark.parametrize("path", [*WEBHOOKS, "/v1/leads"])
@pytest.mark.parametrize("field", ["name", "message", "company", "a\\u0000b", "campaignId", "utm_source"])
def test_an_escaped_nul_is_no_fault_of_ours(process: Process, path: str, field: str) -> None:
    """Postgres can't keep it in text; the raw bytes can be kept."""
    body = f'{{"email": "{secrets.token_hex(6)}@x.example", "{field}": "a\\u0000b"}}'.encode()
    assert process.post(path, body).status_code == 202


@pytest.mark.parametrize("path", ["/webhooks/marketo", "/webhooks/lead", "/v1/leads"])
def test_an_address_is_the_same_without_its_nul(process: Process, path: str) -> None:
    email = f"{secrets.token_hex(6)}@x.example"
    answer = process.post(path, f'{{"email": "\\u0000{email}"}}'.encode())
    assert answer.json()["lead_id"] == str(lead_id(identity().derive("email", email), "default"))


LYING = {
    "two lengths": (b"Content-Length: 5\r\nContent-Length: 6\r\n", b"{}   "),
    "length and chunked": (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "negative": (b"Content-Length: -1\r\n", b"{}"),
    "not a number": (b"Content-Length: \xb2\r\n", b"{}"),
    "beyond 64 bits": (b"Content-Length: " + b"9" * 30 + b"\r\n", b"{}"),
    "many digits": (b"Content-Length: " + b"9" * 6000 + b"\r\n", b"{}"),
    "long by far": (b"Content-Length: 9000000000000000000\r\n", b"{}"),
    "chunk longer than said": (b"Transfer-Encoding: chunked\r\n", b"2\r\n{}{}{}\r\n0\r\n\r\n"),
    "chunk of no size": (b"Transfer-Encoding: chunked\r\n", b"zz\r\n{}\r\n0\r\n\r\n"),
    "negative chunk": (b"Transfer-Encoding: chunked\r\n", b"-2\r\n{}\r\n0\r\n\r\n"),
    "chunk beyond 64 bits": (b"Transfer-Encoding: chunked\r\n", b"f" * 20 + b"\r\n{}\r\n0\r\n\r\n"),
    "shorter than said": (b"Content-Length: 500\r\n", b'{"email": "lie@x.example"}'),
    "chunk shorter than said": (b"Transfer-Encoding: chunked\r\n", b'ff\r\n{"email": "lie@x.example"}'),
}


@pytest.mark.parametrize("name", LYING)
def test_lengths_that_lie(process: Process, worker_database: DatabaseUrls, name: str) -> None:
    lines, body = LYING[name]
    before = stored(worker_database)
    for path in ("/webhooks/marketo", "/v1/leads"):
        key = process.api.as_role("ingest")["Authorization"].encode()
        proof = b"X-RevenueFlow-Secret: marketo-secret\r\nAuthorization: " + key + b"\r\n"
        with socket.create_connection(("127.0.0.1", process.port), timeout=30) as raw:
            raw.sendall(b"POST " + path.encode() + b" HTTP/1.1\r\nHost: x\r\n" + proof + lines + b"\r\n" + body)
            raw.shutdown(socket.SHUT_WR)
            answer = raw.recv(65536)
        assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413")), answer
    assert stored(worker_database) == before


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_memory_stays_flat(process: Process, record_property: Callable[[str, object], None]) -> None:
    def hostile(n: int) -> None:
        for path in (*WEBHOOKS, "/v1/leads"):
            pieces = (b" " * 65_536 for _ in range(20))
            headers = process.proof(path, b"") | JSON
            process.api.client.post(path, content=pieces, headers=headers)
            process.post(path, b"%d" % n + b"[" * 200_000)
            process.post(path, BOMB + b"%d" % n, content_encoding="gzip")

    for n in range(5):
        hostile(n)
    before = process.resident()
    for n in range(5, 25):
        hostile(n)
    grown = process.resident() - before
    record_property("resident_mib", (before, grown))
    assert grown < 24
