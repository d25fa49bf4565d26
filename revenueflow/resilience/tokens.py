"""Access tokens that expire: asked for once, used by all, renewed shortly before their end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

MARGIN = 60.0
"""Seconds before its end in which a token is not used any more; half of its life if that is less."""


class Granted(NamedTuple):
    """A token and the seconds that it has left."""

    value: str
    seconds: float


class Token:
    """`fetch` asks for a token; it is called by one caller at a time."""

    def __init__(self, fetch: Callable[[], Awaitable[Granted]]) -> None:
        self._fetch = fetch
        self._lock = asyncio.Lock()
        self._value: str | None = None
        self._until = 0.0

    async def get(self) -> str:
        """A token that is good for now. Raises what `fetch` raises."""
        async with self._lock:
            if self._value is None or time.monotonic() >= self._until:
                granted = await self._fetch()
                self._value = granted.value
                self._until = time.monotonic() + granted.seconds - min(MARGIN, granted.seconds / 2)
            return self._value

    def forget(self, value: str) -> None:
        """The upstream does not take `value` any more: the next `get` asks for another, unless somebody has."""
        if self._value == value:
            self._value = None
