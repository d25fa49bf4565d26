"""Marketo's REST API, as far as reconciliation needs it: activities since a time, and leads by id.

Errors come as HTTP 200 with `{"success": false, "errors": [{"code": "601", ...}]}`; the codes are text:

    601, 602                     the token is void or expired: a new one, once
    606, 615                     100 calls in 20 s, 10 at once: again after a pause
    607                          the day's quota: UpstreamUnavailable until midnight, US Central
    502, 604, 608, 611, 713      passing: again
    603, 609, 610, 612, others   UpstreamRejected
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from revenueflow.clock import utcnow
from revenueflow.errors import UpstreamError, UpstreamRejected, UpstreamUnavailable
from revenueflow.resilience.http import Client
from revenueflow.resilience.retries import retrying
from revenueflow.resilience.tokens import Granted, Token
from revenueflow.resilience.upstream import HttpUpstream, Params

NAME = "marketo"
MOST_IDS = 300
VOID_TOKEN = frozenset({"601", "602"})
RATE = frozenset({"606", "615"})
QUOTA = "607"
PASSING = frozenset({"502", "604", "608", "611", "713"})
PAUSE = 5.0
"""Seconds after a 606 or 615: a quarter of the window in which calls are counted."""
TRIES = 6
BUDGET = 60.0
RESET = ZoneInfo("America/Chicago")


class Activities(NamedTuple):
    """A page of activities, which may be empty; `token` is for the next one, `more` whether there is one now."""

    items: list[Mapping[str, Any]]
    token: str
    more: bool


class MarketoRest:
    """A client for `base_url` (without /rest), with tokens from `identity_url`. `pause` is in seconds."""

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: str,
        *,
        identity_url: str | None = None,
        pause: float = PAUSE,
        client: Client | None = None,
    ) -> None:
        self._rest = HttpUpstream(NAME, base_url, timeout=30, client=client)
        self._identity = HttpUpstream(NAME, identity_url or base_url.rstrip("/") + "/identity", client=client)
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._token = Token(self._grant)
        self._pause = pause

    async def paging_token(self, since: datetime) -> str:
        """Where activities since a time begin."""
        said = await self._get("/rest/v1/activities/pagingtoken.json", {"sinceDatetime": since.isoformat()})
        return _text(said.get("nextPageToken"))

    async def activities(self, token: str, types: Iterable[int]) -> Activities:
        """The page at `token` of activities of these types (at most ten)."""
        params = {"nextPageToken": token, "activityTypeIds": ",".join(map(str, types))}
        said = await self._get("/rest/v1/activities.json", params)
        more = said.get("moreResult") is True
        return Activities(_objects(said.get("result")), _text(said.get("nextPageToken")), more)

    async def leads(self, ids: Sequence[int], fields: Iterable[str]) -> list[Mapping[str, Any]]:
        """The leads with these ids, at most MOST_IDS a call; those that are gone are missing."""
        found: list[Mapping[str, Any]] = []
        for begin in range(0, len(ids), MOST_IDS):
            some = ",".join(map(str, ids[begin : begin + MOST_IDS]))
            params = {"filterType": "id", "filterValues": some, "fields": ",".join(fields)}
            found += _objects((await self._get("/rest/v1/leads.json", params)).get("result"))
        return found

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._rest.aclose()
        await self._identity.aclose()

    async def _get(self, path: str, params: Params) -> Mapping[str, Any]:
        async def once() -> Mapping[str, Any]:
            return await self._authorised(path, params)

        return await retrying(once, tries=TRIES, budget=BUDGET)

    async def _authorised(self, path: str, params: Params) -> Mapping[str, Any]:
        """One call; with a new token, another one."""
        token = await self._token.get()
        said, code = await self._ask(path, params, token)
        if code in VOID_TOKEN:
            self._token.forget(token)
            said, code = await self._ask(path, params, await self._token.get())
        if code:
            raise self._error(code)
        return said

    async def _ask(self, path: str, params: Params, token: str) -> tuple[Mapping[str, Any], str | None]:
        """The answer, and the code of its error."""
        headers = {"authorization": f"Bearer {token}"}
        said = (await self._rest.request("GET", path, params=params, headers=headers, tries=1)).data
        if not isinstance(said, dict):
            raise _malformed()
        return said, None if said.get("success") is True else _code(said) or "none"

    def _error(self, code: str) -> UpstreamError:
        if code in RATE:
            return UpstreamUnavailable(NAME, "rate_limited", retry_after=self._pause)
        if code == QUOTA:
            return UpstreamUnavailable(NAME, "quota", retry_after=until_midnight(utcnow()))
        if code in PASSING:
            return UpstreamUnavailable(NAME, f"code_{code}")
        if code in VOID_TOKEN:
            return UpstreamRejected(NAME, "bad_key")
        return UpstreamRejected(NAME, f"code_{code}" if code.isdigit() and len(code) < 6 else "malformed")

    async def _grant(self) -> Granted:
        params = {"grant_type": "client_credentials", **self._credentials}
        said = (await self._identity.request("GET", "/oauth/token", params=params)).data
        if not isinstance(said, dict):
            raise _malformed()
        if code := _code(said):
            raise self._error(code)
        seconds = said.get("expires_in")
        if not isinstance(seconds, int | float):
            raise _malformed()
        return Granted(_text(said.get("access_token")), seconds)


def until_midnight(now: datetime) -> float:
    """Seconds until Marketo's day ends."""
    local = now.astimezone(RESET)
    following = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (following - local).total_seconds()


def _code(said: Mapping[str, Any]) -> str | None:
    """The code of the first error in an answer."""
    errors = _objects(said.get("errors"))
    return str(errors[0].get("code")) if errors else None


def _malformed() -> UpstreamRejected:
    return UpstreamRejected(NAME, "malformed")


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise _malformed()
    return value


def _objects(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list; Marketo leaves an empty one out."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise _malformed()
    return [one for one in value if isinstance(one, dict)]
