"""Chance that does not depend on the order of events: every roll is a hash of what it is about."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, TypeVar

T = TypeVar("T")
MOST_REQUESTS: Final = 500_000


class Dice:
    """Rolls for one request. The same request, seen for the k-th time, under the same seed, rolls the same."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def roll(self, about: str) -> float:
        """At least 0, less than 1."""
        digest = blake2b(about.encode(), key=self._key, digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64

    def happens(self, about: str, rate: float) -> bool:
        """True with probability `rate`."""
        return rate > 0 and self.roll(about) < rate

    def pick(self, about: str, choices: Sequence[T]) -> T:
        """One of `choices`, which are not empty."""
        return choices[int(self.roll(about) * len(choices))]


class Counter:
    """How often each request was seen. Forgets the oldest of more than 500,000 different ones."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._seen: OrderedDict[bytes, int] = OrderedDict()

    def dice(self, upstream: str, method: str, path: str, body: bytes) -> Dice:
        """The dice for this request, counted as seen once more."""
        about = b"\x00".join(part.encode() for part in (upstream, method, path))
        request = blake2b(about + b"\x00" + body, digest_size=16).digest()
        count = self._seen.get(request, 0) + 1
        self._seen[request] = count
        if len(self._seen) > MOST_REQUESTS:
            self._seen.popitem(last=False)
        return Dice(blake2b(f"{self._seed}/{count}/".encode() + request, digest_size=16).digest())

    def clear(self) -> None:
        """Starts again."""
        self._seen.clear()
