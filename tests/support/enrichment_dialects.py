"""How each enrichment vendor words each case on the wire, and what the case should come to.

A `Wire` is one lookup of one vendor. The server that it makes reads the keys from the request as the vendor would, and
refuses what the vendor would refuse: a provider that asks wrongly finds nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from revenueflow.domain.evidence import Signal
from revenueflow.enrichment.base import EnrichmentProvider, KeyKind, Lookup
from tests.support.vendor_server import Answerer, Seen, VendorServer

KEY = "vendor-key-canary"
EMAIL = "ada+crm@northwind.example"
DOMAIN = "northwind.example"
TIMEOUT = 0.3
"""Seconds for one try: long enough for loopback, short enough for the time-out case."""
PERSONAL = ("Ada", "Canary", "canary", "5550", "555 0100", "linkedin.com/in", "photo", "@")
"""Each vendor's records hold these, and no fact may."""

Facts = dict[Signal, tuple[str, JsonValue]]
"""Where a fact stands below the record, and what it is."""


class Refusal(Exception):
    """What the vendor does not take: the status that it answers."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True)
class Wire:
    """One lookup of one vendor.

    `keys` reads what a request asks for, in its order, and raises Refusal; `body` is the answer to that. `root` is
    the path of a record in the answer to a question about one key alone. `errors` has an Answerer for each of
    `not_found`, `rate_limited`, `quota` and `bad_key`, and for `pending` if there is that; `handle` is what a
    pending answer names, `under_way` what every question carries where all begin as pending. `reads`: a lost answer
    has cost nothing. `beside` is what else the vendor serves, by path.
    """

    vendor: str
    lookup: str
    make: Callable[[str], EnrichmentProvider]
    keys: Callable[[Request], Awaitable[list[str]]]
    body: Callable[[list[tuple[str, JsonValue]]], JsonValue]
    root: Callable[[str], str]
    record: dict[str, Any]
    facts: Facts
    broken: dict[str, Any]
    refused: dict[Signal, str]
    authorised: Callable[[Seen], bool]
    errors: dict[str, Answerer]
    handle: str | None = None
    under_way: str | None = None
    largest: int = 1
    reads: bool = True
    beside: Mapping[str, Answerer] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """As a test is named."""
        return f"{self.vendor}-{self.lookup}"

    def of(self, provider: EnrichmentProvider) -> Lookup:
        """The provider's lookup."""
        return next(one for one in provider.lookups if one.name == self.lookup)

    def key(self, provider: EnrichmentProvider, number: int = 0) -> str:
        """One of many keys."""
        kind, prefix = self.of(provider).key, f"x{number}-" if number else ""
        return f"{prefix}{EMAIL}" if kind is KeyKind.EMAIL else f"{prefix}{DOMAIN}"

    def found(self, records: Mapping[str, JsonValue]) -> Answerer:
        """Knows these records, by key."""

        async def answer(request: Request) -> Response:
            try:
                asked = await self.keys(request)
            except Refusal as refusal:
                return JSONResponse({}, refusal.status)
            if len(asked) == 1 and asked[0] not in records:
                return await self.errors["not_found"](request)
            return JSONResponse(self.body([(key, records.get(key)) for key in asked]))

        return answer

    def serving(self, answerer: Answerer) -> Answerer:
        """`answerer`, and what the vendor serves beside it (a token)."""

        async def answer(request: Request) -> Response:
            return await self.beside.get(request.url.path, answerer)(request)

        return answer

    def asked(self, server: VendorServer) -> list[Seen]:
        """The requests to the lookup itself."""
        return [seen for seen in server.seen if seen.path not in self.beside]


async def never(_: Request) -> Response:
    """Longer than any time-out."""
    await asyncio.sleep(30)
    return Response()


async def malformed(_: Request) -> Response:
    """A 200 that breaks off in the middle of its JSON."""
    return Response(b'{"company": {"name": "North', media_type="application/json")


async def not_an_object(_: Request) -> Response:
    """A 200 that is JSON, but nothing that we know."""
    return JSONResponse(["Northwind"])


async def huge(_: Request) -> Response:
    """A body without an end."""

    async def body() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65536
            await asyncio.sleep(0)

    return StreamingResponse(body(), media_type="application/json")


def once_then(first: Answerer, then: Answerer) -> Answerer:
    """`first` for one request, `then` for those after it."""
    left = [first]

    async def answer(request: Request) -> Response:
        return await (left.pop() if left else then)(request)

    return answer


def parameter(path: str, name: str) -> Callable[[Request], Awaitable[list[str]]]:
    """The key in a query parameter of a GET."""

    async def keys(request: Request) -> list[str]:
        if request.method != "GET" or request.url.path != path or name not in request.query_params:
            raise Refusal(400)
        return [request.query_params[name]]

    return keys
