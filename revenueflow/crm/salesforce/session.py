"""Requests to Salesforce with a token of the OAuth client-credentials flow.

POST {base}/services/oauth2/token   grant_type=client_credentials&client_id=…&client_secret=…
     {"access_token", "instance_url", …}                     without a lifetime: that is the org's session setting

A 401 means one new token and one more try, never a loop. All calls go to the configured My Domain, whatever the answer
names as the instance.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from revenueflow.crm.salesforce.errors import NAME, code_in, error_of
from revenueflow.errors import OutcomeUnknown, UpstreamRejected, UpstreamUnavailable
from revenueflow.resilience.tokens import Granted, Token
from revenueflow.resilience.upstream import Answer, HttpUpstream, Params

LASTS: Final = 3600.0
"""Seconds after which a token is renewed unasked: less than the session of nearly every org."""
READABLE: Final = (200, 201, 204, 300, 400, 401, 403, 404)


class Session:
    """A connected app's session."""

    def __init__(self, upstream: HttpUpstream, client_id: str, secret: str) -> None:
        self._upstream = upstream
        self._credentials = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        self._token = Token(self._fetch)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: object = None,
        allow: Collection[int] = (200, 201),
    ) -> Answer:
        """The answer, if its status is in `allow`; reads are tried again. Raises as `Crm.put` does."""
        token = await self._token.get()
        answer = await self._send(method, path, params, json, token)
        if answer.status == 401:
            self._token.forget(token)
            answer = await self._send(method, path, params, json, await self._token.get())
        if answer.status == 401:
            raise UpstreamRejected(NAME, "bad_key")
        if answer.status not in allow:
            raise error_of(code_in(answer.data))
        return answer

    async def _send(self, method: str, path: str, params: Params | None, json: object, token: str) -> Answer:
        # One try: each request has its place in the CRM's limit, and its word in the breaker.
        headers = {"authorization": f"Bearer {token}"}
        return await self._upstream.request(
            method, path, params=params, json=json, headers=headers, tries=1, allow=READABLE
        )

    async def _fetch(self) -> Granted:
        """Asking twice costs nothing: an answer that is lost is only one that is not there."""
        try:
            answer = await self._upstream.request(
                "POST", "/services/oauth2/token", form=self._credentials, allow=(200, 400, 401)
            )
        except OutcomeUnknown as error:
            raise UpstreamUnavailable(NAME, error.reason, retry_after=error.retry_after) from None
        if answer.status != 200:
            raise UpstreamRejected(NAME, "bad_key")
        value = answer.data.get("access_token") if isinstance(answer.data, dict) else None
        if not isinstance(value, str) or not value:
            raise UpstreamRejected(NAME, "malformed")
        return Granted(value, LASTS)
