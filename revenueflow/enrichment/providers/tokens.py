"""OAuth client credentials: one token, shared by all calls, renewed before it expires.

POST {token_url} grant_type=client_credentials, the client's id and secret by Basic authentication (RFC 6749, 4.4)
{"access_token", "expires_in": seconds}
"""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from typing import NamedTuple
from urllib.parse import quote_plus

from revenueflow.errors import OutcomeUnknown, UpstreamRejected, UpstreamUnavailable
from revenueflow.resilience.http import Client
from revenueflow.resilience.upstream import HttpUpstream, Meaning

EARLY = 60.0
"""Seconds before its end that a token is no longer used; half of its time if that is less."""
USUAL = 3600.0
"""Seconds that a token is good for if the answer does not say."""
MEANINGS = {400: Meaning(UpstreamRejected, "bad_key"), 403: Meaning(UpstreamRejected, "bad_key")}


class _Token(NamedTuple):
    value: str
    until: float


class Tokens:
    """The tokens of one client at one place. Whoever needs one while it is fetched waits for the same one."""

    def __init__(
        self, upstream: str, url: str, client_id: str, secret: str, scope: str, *, timeout: float, client: Client
    ) -> None:
        """`timeout` is in seconds, for one try."""
        pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
        headers = {"authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        self._name = upstream
        self._scope = scope
        self._upstream = HttpUpstream(upstream, url, headers=headers, timeout=timeout, client=client, meanings=MEANINGS)
        self._token: _Token | None = None
        self._fetching = asyncio.Lock()

    async def get(self, refused: str | None = None) -> str:
        """A token that is good now, and not the one that was `refused`. Raises as a call to the vendor would."""
        async with self._fetching:
            token = self._token
            if token is None or token.value == refused or token.until <= time.monotonic():
                token = self._token = await self._fetch()
            return token.value

    async def _fetch(self) -> _Token:
        """Asking twice costs nothing: an answer that is lost is only one that is not there."""
        begun = time.monotonic()
        try:
            answer = await self._upstream.request(
                "POST", "", form={"grant_type": "client_credentials", "scope": self._scope}, allow=(200,)
            )
        except OutcomeUnknown as error:
            raise UpstreamUnavailable(self._name, error.reason, retry_after=error.retry_after) from None
        data = answer.data if isinstance(answer.data, dict) else {}
        value, seconds = data.get("access_token"), data.get("expires_in")
        if not isinstance(value, str) or not value:
            raise UpstreamRejected(self._name, "malformed")
        lasts = float(seconds) if isinstance(seconds, int | float) and seconds > 0 else USUAL
        return _Token(value, begun + lasts - min(EARLY, lasts / 2))
