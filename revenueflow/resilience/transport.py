"""Our client under an SDK that wants an httpx2 client: one kind of connection, at a fraction of the processor time."""

from __future__ import annotations

import aiohttp
import httpx2
from yarl import URL

from revenueflow.resilience.http import ANSWER_CAP, Calls, Client, capped, new_client, phases


class TooLarge(httpx2.ReadError):
    """The answer has more bytes than any that we could use."""


class Transport(httpx2.AsyncBaseTransport):
    """Carries requests of up to `timeout` seconds each, and closes its connections with the client that holds it."""

    def __init__(self, *, timeout: float, connections: int = 200) -> None:
        self._timeout = timeout
        self._connections = connections
        self._client: Client | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The whole answer; errors as httpx2's own transport raises them."""
        self._client = self._client or new_client(connections=self._connections)  # it is made inside the event loop
        try:
            return await self._send(self._client, request)
        except TimeoutError as error:
            raise httpx2.ReadTimeout("no answer in time", request=request) from error
        except aiohttp.ClientConnectorError as error:
            raise httpx2.ConnectError("not reached", request=request) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise httpx2.ReadError("the connection was lost", request=request) from error

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._client:
            await self._client.aclose()

    async def _send(self, client: Client, request: httpx2.Request) -> httpx2.Response:
        headers = [(name, value) for name, value in request.headers.multi_items() if name != "accept-encoding"]
        sending = client.session.request(
            request.method,
            URL(str(request.url), encoded=True),
            headers=headers,
            data=await request.aread(),
            allow_redirects=False,
            timeout=phases(self._timeout),
            trace_request_ctx=Calls(),
        )
        async with sending as response:
            content = await capped(response, ANSWER_CAP)
            if content is None:
                raise TooLarge("the answer is too large", request=request)
            return httpx2.Response(response.status, headers=list(response.headers.items()), content=content)
