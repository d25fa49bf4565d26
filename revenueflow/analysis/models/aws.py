"""Signing for AWS: botocore finds the credentials and signs; nothing else of it is used.

botocore comes with the extra `bedrock`. Its chain: environment, shared files, SSO, web identity, container, instance.
"""

from __future__ import annotations

import asyncio
import time
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

from revenueflow.errors import ConfigurationError, UpstreamError, UpstreamRejected, UpstreamUnavailable

SERVICE: Final = "bedrock"
KNOWN_SECONDS: Final = 60.0
"""How long credentials are used without asking botocore, which renews them ten minutes before their end."""


def check_installed(setting: str) -> None:
    """Raises ConfigurationError that says what to install; `setting` is what asks for it."""
    if find_spec("botocore") is None:
        raise ConfigurationError(
            f"{setting}: bedrock needs an extra package; install it with: pip install 'revenueflow[bedrock]'"
        )


class Keys(NamedTuple):
    """An AWS credential. A `session` token belongs to a temporary one."""

    key_id: str
    secret: str
    session: str | None = None


class Signer:
    """Signs requests to Bedrock in one region, with `keys` or what botocore finds."""

    def __init__(self, upstream: str, region: str, keys: Keys | None = None) -> None:
        check_installed("ANALYSTS")
        self._upstream = upstream
        self._region = region
        self._keys = keys
        self._found: Any = None
        self._frozen: Any = None
        self._asked_at = -KNOWN_SECONDS

    async def signed(self, method: str, url: str, headers: dict[str, str], content: bytes) -> dict[str, str]:
        """The headers with the signature. Raises UpstreamRejected (bad_key) if no credentials are found."""
        if time.monotonic() - self._asked_at > KNOWN_SECONDS:
            # It reads files and asks servers.
            self._frozen = await asyncio.to_thread(self._credentials)
            self._asked_at = time.monotonic()
        return self._sign(method, url, headers, content)

    def _credentials(self) -> Any:
        from botocore import exceptions
        from botocore.credentials import Credentials
        from botocore.session import Session

        if self._keys:
            return Credentials(*self._keys).get_frozen_credentials()
        try:
            self._found = self._found or Session().get_credentials()
            if self._found is None:
                raise UpstreamRejected(self._upstream, "bad_key")
            return self._found.get_frozen_credentials()
        except exceptions.BotoCoreError as error:
            raise self._failure(isinstance(error, exceptions.HTTPClientError)) from None

    def _failure(self, of_network: bool) -> UpstreamError:
        if of_network:
            return UpstreamUnavailable(self._upstream, "unreachable")
        return UpstreamRejected(self._upstream, "bad_key")

    def _sign(self, method: str, url: str, headers: dict[str, str], content: bytes) -> dict[str, str]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(method=method, url=url, data=content, headers=headers)
        SigV4Auth(self._frozen, SERVICE, self._region).add_auth(request)
        return dict(request.headers.items())
