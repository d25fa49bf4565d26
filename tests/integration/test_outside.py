"""URLs from outside: what must not be reached is not reached, whatever the URL, the names or the redirects say."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from revenueflow.errors import UpstreamRejected, UpstreamUnavailable
from revenueflow.resilience.addresses import Allowed, is_public
from revenueflow.resilience.outside import Guard, Outside
from tests.support.vendor_server import VendorServer, fixed


class Names(AbstractResolver):
    """Knows where names lead: each look-up takes the next of a name's (address, port), the last one for ever."""

    def __init__(self, known: Mapping[str, list[tuple[str, int]]]) -> None:
        self._known = {name: list(places) for name, places in known.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        self.asked.append(host)
        places = self._known.get(host)
        if not places:
            raise OSError("no such name")
        address, at = places.pop(0) if len(places) > 1 else places[0]
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [{"hostname": host, "host": address, "port": at or port, "family": kind, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        """Nothing to close."""


class Forbidden:
    """A server on loopback that nothing may reach; it counts those who do."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port: int = self._socket.getsockname()[1]
        self.connections = 0
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret")
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def forbidden() -> Iterator[Forbidden]:
    server = Forbidden()
    yield server
    server.close()


@contextmanager
def public(**more: list[tuple[str, int]]) -> Iterator[tuple[VendorServer, Outside, str]]:
    """A server that plays the public Internet under a name that is allowed, and a client that finds it."""
    with VendorServer() as server:
        port = int(server.url.rpartition(":")[2])
        names = Names({"public.example": [("127.0.0.1", port)], **{k.replace("_", "."): v for k, v in more.items()}})
        allowed = Allowed.parse([f"public.example:{port}"])
        yield server, Outside(allowed=allowed, resolver=names), f"http://public.example:{port}"


HOSTILE = {
    "http://127.0.0.1/": "blocked_address",
    "http://127.0.0.1:8080/": "blocked_address",
    "http://localhost/": "blocked_address",
    "http://localhost./": "blocked_address",
    "http://10.1.2.3/": "blocked_address",
    "http://172.16.0.1/": "blocked_address",
    "http://192.168.1.1/": "blocked_address",
    "http://100.64.0.1/": "blocked_address",
    "http://169.254.169.254/latest/meta-data/": "blocked_address",
    "http://168.63.129.16/": "blocked_address",
    "http://0.0.0.0/": "blocked_address",
    "http://255.255.255.255/": "blocked_address",
    "http://224.0.0.1/": "blocked_address",
    "http://240.0.0.1/": "blocked_address",
    "http://192.0.2.1/": "blocked_address",
    "http://198.18.0.1/": "blocked_address",
    "http://2130706433/": "blocked_address",
    "http://0x7f000001/": "blocked_address",
    "http://0x7f.1/": "blocked_address",
    "http://0177.0.0.1/": "blocked_address",
    "http://127.1/": "blocked_address",
    "http://127.0.0.1./": "blocked_address",
    "http://１２７.０.０.１/": "blocked_address",
    "http://ⓛocalhost/": "blocked_address",
    "http://%6c%6f/": "blocked_address",
    "http://[::]/": "blocked_address",
    "http://[::1]/": "blocked_address",
    "http://[fe80::1%25eth0]/": "blocked_address",
    "http://[fd00:ec2::254]/": "blocked_address",
    "http://[fec0::1]/": "blocked_address",
    "http://[ff02::1]/": "blocked_address",
    "http://[::ffff:127.0.0.1]/": "blocked_address",
    "http://[::ffff:8.8.8.8]/": "blocked_address",
    "http://[::127.0.0.1]/": "blocked_address",
    "http://[2002:7f00:1::]/": "blocked_address",
    "http://[64:ff9b::7f00:1]/": "blocked_address",
    "http://[2001:0:53aa:64c::1]/": "blocked_address",
    "http://metadata.google.internal/computeMetadata/v1/": "blocked_address",
    "http://METADATA.google.internal./": "blocked_address",
    "http://sneaky.example/": "blocked_address",
    "http://mapped.example/": "blocked_address",
    "http://8.8.8.8:22/": "blocked_port",
    "https://files.example:8443/": "blocked_port",
    "http://user:password@files.example/": "blocked_userinfo",
    "http://user@files.example/": "blocked_userinfo",
    "file:///etc/passwd": "blocked_scheme",
    "gopher://127.0.0.1:6379/_FLUSHALL": "blocked_scheme",
    "ftp://files.example/": "blocked_scheme",
    "//files.example/": "blocked_scheme",
    "/etc/passwd": "blocked_scheme",
    "http:///x": "malformed_url",
    "http://files.example:99999/": "malformed_url",
    "http://files.example\\@127.0.0.1/": "malformed_url",
    "http://files.example/\r\nx-injected: 1": "malformed_url",
    " http://127.0.0.1/": "malformed_url",
    "": "malformed_url",
}


@pytest.mark.parametrize(("url", "reason"), HOSTILE.items())
async def test_hostile_urls_are_refused(forbidden: Forbidden, url: str, reason: str) -> None:
    inside = ("127.0.0.1", forbidden.port)
    names = Names(
        {"localhost": [inside], "localhost.": [inside], "sneaky.example": [inside],
         "mapped.example": [("::ffff:127.0.0.1", forbidden.port)]}
    )  # fmt: skip
    with pytest.raises(UpstreamRejected) as caught:
        await Outside(resolver=names).fetch(url)
    assert caught.value.reason == reason
    assert forbidden.connections == 0


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00:1450:4001:82a::200e"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ip_address(address))


async def test_no_socket_is_made_for_a_forbidden_address() -> None:
    guard = Guard(Names({}), Allowed(), waived=False)
    with pytest.raises(PermissionError):
        guard.socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)))
    assert guard.blocked
    guard.socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 80))).close()


async def test_a_name_of_which_one_address_is_forbidden_is_not_tried(forbidden: Forbidden) -> None:
    class Both(Names):
        async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
            inside = (await super().resolve(host, port, family))[0]
            return [{**inside, "host": "93.184.215.14", "port": 80}, inside]

    names = Both({"both.example": [("127.0.0.1", forbidden.port)]})
    with pytest.raises(UpstreamRejected, match="blocked_address"):
        await Outside(resolver=names).fetch("http://both.example/")
    assert forbidden.connections == 0


async def test_what_is_allowed_is_reached(forbidden: Forbidden) -> None:
    inside = ("127.0.0.1", forbidden.port)
    by_network = Outside(allowed=Allowed.parse(["127.0.0.0/8"]), resolver=Names({"a.example": [inside]}))
    assert (await by_network.fetch("http://a.example/")).body == b"secret"
    by_name = Outside(allowed=Allowed.parse([f"127.0.0.1:{forbidden.port}"]))
    assert (await by_name.fetch(f"http://127.0.0.1:{forbidden.port}/")).body == b"secret"
    assert forbidden.connections == 2
    with pytest.raises(UpstreamRejected, match="blocked_port"):
        await by_network.fetch(f"http://127.0.0.1:{forbidden.port}/")


@pytest.mark.parametrize("target", ["http://127.0.0.1:{port}/", "http://evil.example/", "//127.0.0.1:{port}/x"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_loopback_is_not_followed(forbidden: Forbidden, target: str, status: int) -> None:
    with public(evil_example=[("127.0.0.1", forbidden.port)]) as (server, outside, url):
        server.answer = fixed(status, {}, location=target.format(port=forbidden.port))
        with pytest.raises(UpstreamRejected, match="blocked_address"):
            await outside.fetch(url)
        assert len(server.seen) == 1
    assert forbidden.connections == 0


async def test_a_name_that_changes_its_address_is_checked_each_time(forbidden: Forbidden) -> None:
    with VendorServer() as server:
        port = int(server.url.rpartition(":")[2])
        names = Names({"rebind.example": [("127.0.0.1", port), ("127.0.0.2", forbidden.port)]})
        server.answer = fixed(302, {}, location="http://rebind.example/again")
        outside = Outside(allowed=Allowed.parse(["127.0.0.1/32"]), resolver=names)
        with pytest.raises(UpstreamRejected, match="blocked_address"):
            await outside.fetch("http://rebind.example/")
        assert len(server.seen) == 1
    assert names.asked == ["rebind.example", "rebind.example"]
    assert forbidden.connections == 0


async def test_three_redirects_are_followed_and_not_four() -> None:
    with public() as (server, outside, url):

        async def count_down(request: Request) -> Response:
            left = int(request.url.path.strip("/"))
            return RedirectResponse(f"/{left - 1}") if left else Response(b"done")

        server.answer = count_down
        assert await outside.fetch(f"{url}/3") == (f"{url}/0", "", b"done")
        with pytest.raises(UpstreamRejected, match="too_many_redirects"):
            await outside.fetch(f"{url}/4")


async def test_nothing_of_ours_goes_along() -> None:
    with public() as (server, outside, url):

        async def cookie_then_done(request: Request) -> Response:
            if request.url.path == "/done":
                return Response(b"done")
            return RedirectResponse("/done", headers={"set-cookie": "a=b; Path=/"})

        server.answer = cookie_then_done
        await outside.fetch(url)
        assert [one.path for one in server.seen] == ["/", "/done"]
        for one in server.seen:
            assert one.headers.keys() <= {"host", "user-agent", "accept", "accept-encoding", "connection"}


def packed(body: bytes, encoding: str) -> Response:
    return Response(body, headers={"content-encoding": encoding})


async def test_answers_have_a_cap_before_and_after_unpacking() -> None:
    with public() as (server, outside, url):
        answers = {
            "/plain": Response(b"x" * (5 * 2**20)),
            "/large": Response(b"x" * (5 * 2**20 + 1)),
            "/gzip": packed(gzip.compress(b"hello"), "gzip"),
            "/bomb": packed(gzip.compress(b"\0" * (50 * 2**20), 9), "gzip"),
            "/cut": packed(gzip.compress(b"hello" * 100)[:-10], "gzip"),
            "/false": packed(b"hello", "gzip"),
            "/brotli": packed(b"hello", "br"),
        }

        async def answer(request: Request) -> Response:
            return answers[request.url.path]

        server.answer = answer
        assert len((await outside.fetch(f"{url}/plain")).body) == 5 * 2**20
        assert (await outside.fetch(f"{url}/gzip")).body == b"hello"
        reasons = {"large": "answer_too_large", "bomb": "answer_too_large", "cut": "encoded", "false": "encoded",
                   "brotli": "encoded"}  # fmt: skip
        for path, reason in reasons.items():
            with pytest.raises(UpstreamRejected) as caught:
                await outside.fetch(f"{url}/{path}")
            assert caught.value.reason == reason, path


@pytest.mark.parametrize(
    ("status", "reason"), [(404, "status_404"), (429, "rate_limited"), (500, "server_error"), (304, "status_304")]
)
async def test_other_answers_are_errors(status: int, reason: str) -> None:
    with public() as (server, outside, url):
        server.answer = fixed(status, {})
        with pytest.raises((UpstreamRejected, UpstreamUnavailable)) as caught:
            await outside.fetch(url)
        assert caught.value.reason == reason


async def test_a_slow_answer_is_cut(forbidden: Forbidden) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        outside = Outside(allowed=Allowed.parse([f"127.0.0.1:{port}"]), timeout=0.2)
        with pytest.raises(UpstreamUnavailable, match="timeout"):
            await outside.fetch(f"http://127.0.0.1:{port}/")
    with pytest.raises(UpstreamUnavailable, match="unreachable"):
        await Outside(allowed=Allowed.parse([f"127.0.0.1:{port}"])).fetch(f"http://127.0.0.1:{port}/")
    with pytest.raises(UpstreamUnavailable, match="unreachable"):
        await Outside(resolver=Names({})).fetch("http://nowhere.example/")
