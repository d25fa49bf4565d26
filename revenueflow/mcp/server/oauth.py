"""Access tokens of the operator's authorization server: JWTs for this resource, checked by its keys.

Sources: RFC 9068 (JWT access tokens), RFC 8707 (audience), RFC 8414 (metadata).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import jwt
from jwt import PyJWK, PyJWKSet

from revenueflow.errors import NotAllowed, NotAuthenticated, RevenueFlowError, Unavailable
from revenueflow.mcp.call import Caller
from revenueflow.resilience.upstream import HttpUpstream

ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
"""Asymmetric ones only: a token can't be made with a public key."""
SCOPE: Final = "revenueflow:tools"
LEEWAY: Final = 30
FRESH: Final = 3600.0
AGAIN: Final = 30.0
"""Seconds for which keys are believed, and until an unknown key id may have them read again."""


class Tokens:
    """Verifies tokens of one issuer for one audience."""

    def __init__(self, issuer: str, audience: str) -> None:
        self._issuer = issuer.rstrip("/")
        self._audience = audience
        self._upstream = HttpUpstream("mcp_issuer", "", timeout=5)
        self._keys: dict[str, PyJWK] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._upstream.aclose()

    async def caller(self, token: str, trace_id: str) -> Caller:
        """The agent that a token stands for. Raises NotAuthenticated, NotAllowed for a missing scope, Unavailable."""
        key = await self._key(token)
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=[self._issuer, f"{self._issuer}/"],
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.InvalidTokenError as error:
            raise NotAuthenticated(f"the token is not valid here: {_reason(error)}") from None
        if SCOPE not in _scopes(claims):
            raise NotAllowed(f"the token lacks the scope {SCOPE}")
        client = claims.get("client_id", claims.get("azp"))
        name = client if isinstance(client, str) else None
        return Caller(f"oauth:{claims['sub']}"[:200], "agent", trace_id=trace_id, name=name)

    async def _key(self, token: str) -> PyJWK:
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
        except jwt.InvalidTokenError:
            raise NotAuthenticated("send an API key (rf_…) or a token of the authorization server") from None
        if not isinstance(key_id, str):
            raise NotAuthenticated("the token names no key (kid)")
        async with self._reading:
            age = time.monotonic() - self._read_at
            if age > FRESH or (key_id not in self._keys and age > AGAIN):
                await self._read_keys()
        if key_id not in self._keys:
            raise NotAuthenticated("the token is signed with a key that the authorization server does not publish")
        return self._keys[key_id]

    async def _read_keys(self) -> None:
        try:
            metadata = await self._metadata()
            found = PyJWKSet.from_dict(await self._json(str(metadata["jwks_uri"])))
        except (RevenueFlowError, KeyError, jwt.PyJWTError) as error:
            if self._keys:
                return  # older keys are still good
            raise Unavailable("the authorization server's keys can't be read", retry_after=AGAIN) from error
        self._keys = {key.key_id: key for key in found.keys if key.key_id}
        self._read_at = time.monotonic()

    async def _metadata(self) -> dict[str, Any]:
        """RFC 8414, else OpenID Connect Discovery."""
        parts = urlsplit(self._issuer)
        for path in (
            f"/.well-known/oauth-authorization-server{parts.path}",
            f"{parts.path}/.well-known/openid-configuration",
        ):
            try:
                found = await self._json(urlunsplit((parts.scheme, parts.netloc, path, "", "")))
            except RevenueFlowError:
                continue
            if str(found.get("issuer", "")).rstrip("/") == self._issuer:
                return found
        raise Unavailable("the authorization server publishes no metadata for this issuer")

    async def _json(self, url: str) -> dict[str, Any]:
        found = (await self._upstream.request("GET", url, tries=2)).data
        if not isinstance(found, dict):
            raise Unavailable("the authorization server answered something else than an object")
        return found


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    given = claims.get("scope", claims.get("scp", ""))
    parts = given if isinstance(given, list) else str(given).split()
    return frozenset(map(str, parts))


def _reason(error: jwt.InvalidTokenError) -> str:
    """The kind of error, which holds nothing of the token."""
    return {
        jwt.ExpiredSignatureError: "it is expired",
        jwt.InvalidAudienceError: "it is for another audience",
        jwt.InvalidIssuerError: "it is from another issuer",
        jwt.ImmatureSignatureError: "it is not valid yet",
    }.get(type(error), "its signature or form is wrong")
