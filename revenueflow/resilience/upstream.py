"""An upstream that speaks JSON over HTTP: what its status codes mean, and tries where that is safe."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import quote, urlencode

import orjson
from pydantic import JsonValue

from revenueflow.clock import utcnow
from revenueflow.errors import OutcomeUnknown, UpstreamError, UpstreamRejected, UpstreamUnavailable
from revenueflow.resilience.http import ANSWER_CAP, READS, Client, Exchange, Request, new_client
from revenueflow.resilience.retries import retrying
from revenueflow.telemetry.metrics import provider_seconds

LONGEST_PAUSE = 3600.0
"""Seconds. An upstream that asks for years has made a mistake."""
Params = Mapping[str, str | int | float | bool]


class Meaning(NamedTuple):
    """What a status code says: the error to raise, and its reason."""

    error: type[UpstreamError]
    reason: str


MEANINGS: Mapping[int, Meaning] = MappingProxyType(
    {
        400: Meaning(UpstreamRejected, "bad_request"),
        401: Meaning(UpstreamRejected, "bad_key"),
        402: Meaning(UpstreamRejected, "quota"),
        403: Meaning(UpstreamRejected, "forbidden"),
        404: Meaning(UpstreamRejected, "not_found"),
        408: Meaning(UpstreamUnavailable, "timeout"),
        409: Meaning(UpstreamRejected, "conflict"),
        410: Meaning(UpstreamRejected, "gone"),
        413: Meaning(UpstreamRejected, "request_too_large"),
        422: Meaning(UpstreamRejected, "invalid"),
        425: Meaning(UpstreamUnavailable, "too_early"),
        429: Meaning(UpstreamUnavailable, "rate_limited"),
        451: Meaning(UpstreamRejected, "legal"),
    }
)
"""What status codes mean where a vendor does not say otherwise."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was allowed. `headers` take names in any case; `data` is None for a body that is empty,
    or, with a status other than 200 and 201, not JSON.
    """

    status: int
    headers: Mapping[str, str]
    data: JsonValue

    @property
    def retry_after(self) -> float | None:
        """Seconds that the upstream asks us to wait, if it does."""
        return retry_after(self.headers)


class HttpUpstream:
    """One upstream. Several may share a client; without one it makes, and on `aclose` closes, its own.

    `timeout` is in seconds, for one try as a whole. `meanings` is where a vendor differs from MEANINGS.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 5.0,
        client: Client | None = None,
        meanings: Mapping[int, Meaning] | None = None,
        cap: int = ANSWER_CAP,
    ) -> None:
        self.name = name
        self._base_url = base_url.rstrip("/")
        self._headers = dict(headers or {})
        self._timeout = timeout
        self._client = client or new_client()
        self._owned = client is None
        self._meanings = {**MEANINGS, **(meanings or {})}
        self._cap = cap

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        tries: int = 3,
        budget: float = 10.0,
        allow: Collection[int] = (200, 201, 204),
    ) -> Answer:
        """The answer, if its status is in `allow`. `path` begins with "/"; the caller has quoted its parts.

        The body is `json`, anything that orjson can write, or `form`; `headers` may name another content type for it.
        A 200 or 201 must hold JSON or nothing.
        Raises UpstreamUnavailable after `tries`, or earlier if the next would start more than `budget`
        seconds from now (`retry_after`, in seconds, if the upstream named it); UpstreamRejected; and for
        methods that write OutcomeUnknown, at once.
        """

        body = _body(json, form)

        async def once() -> Answer:
            with self._timed():
                return await self._once(self._build(method, path, params, body, headers), allow)

        return await retrying(once, tries=tries, budget=budget)

    async def aclose(self) -> None:
        """Closes the client, if it is ours."""
        if self._owned:
            await self._client.aclose()

    def _build(
        self, method: str, path: str, params: Params | None, body: _Body, headers: Mapping[str, str] | None
    ) -> Request:
        own = {**body.headers, **self._headers, **(headers or {})}
        query = f"?{urlencode(params, quote_via=quote)}" if params else ""
        return Request(method, self._base_url + path + query, own, body.content)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        begun = time.perf_counter()
        outcome = "cancelled"
        try:
            yield
            outcome = "ok"
        except UpstreamError as error:
            outcome = error.reason
            raise
        finally:
            provider_seconds.labels(self.name, outcome).observe(time.perf_counter() - begun)

    async def _once(self, request: Request, allow: Collection[int]) -> Answer:
        exchange = Exchange(self.name, request, self._timeout, self._cap)
        status, headers, body = await exchange.run(self._client)
        if status not in allow:
            raise self._refusal(request.method, status, headers)
        return Answer(status, headers, _data(exchange, status, body))

    def _refusal(self, method: str, status: int, headers: Mapping[str, str]) -> UpstreamError:
        error, reason = self._meanings.get(status) or _meaning(status)
        if method not in READS and (status == 408 or status >= 500 or 200 <= status < 300):
            error = OutcomeUnknown
        return error(self.name, reason, retry_after=retry_after(headers))


class _Body(NamedTuple):
    """What is sent, and the headers that tell its form."""

    content: bytes | None
    headers: Mapping[str, str]


def _body(json: object, form: Mapping[str, str] | None) -> _Body:
    if form is not None:
        return _Body(urlencode(form).encode(), {"content-type": "application/x-www-form-urlencoded"})
    if json is not None:
        return _Body(orjson.dumps(json), {"content-type": "application/json"})
    return _Body(None, {})


def _meaning(status: int) -> Meaning:
    if status >= 500:
        return Meaning(UpstreamUnavailable, "server_error")
    return Meaning(UpstreamRejected, f"status_{status}")


def _data(exchange: Exchange, status: int, body: bytes) -> JsonValue:
    if not body:
        return None
    try:
        data: JsonValue = orjson.loads(body)
    except orjson.JSONDecodeError:
        if status in (200, 201):
            raise exchange.unreadable("malformed") from None
        return None
    return data


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds, at most LONGEST_PAUSE, from a `Retry-After` field; None if there is none that can be read."""
    asked = _asked_pause(headers, now)
    return None if asked is None else min(asked, LONGEST_PAUSE)


def _asked_pause(headers: Mapping[str, str], now: datetime | None) -> float | None:
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - (now or utcnow())).total_seconds())
