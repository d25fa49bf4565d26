"""What holds connections, and closing it when a process ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol, TypeVar

from pydantic import SecretStr
from redis.asyncio import Redis

T = TypeVar("T", bound="Closable")


class Closable(Protocol):
    """What holds connections."""

    async def aclose(self) -> None:
        """Closes them."""


class Closing(Protocol):
    """Notes that something is to be closed when the process ends, and hands it on."""

    def __call__(self, one: T, /) -> T:
        """Notes it."""


@asynccontextmanager
async def closing() -> AsyncIterator[Closing]:
    """Notes what is to be closed at the end of the block; the last noted is closed first."""
    async with AsyncExitStack() as stack:

        def note(one: T, /) -> T:
            stack.push_async_callback(one.aclose)
            return one

        yield note


def bearer(token: SecretStr | None) -> dict[str, str]:
    """The header of a bearer token; none without one."""
    return {"authorization": f"Bearer {token.get_secret_value()}"} if token else {}


def redis(url: str) -> Redis:
    """A client that gives up soon: what Redis holds may be counted elsewhere, or waited for."""
    client: Redis = Redis.from_url(url, socket_timeout=2, socket_connect_timeout=1)
    return client
