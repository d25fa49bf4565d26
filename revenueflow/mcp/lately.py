"""What was said lately, so that it is not said at every turn."""

from __future__ import annotations

import time
from collections.abc import Hashable

MOST = 50_000


class Lately:
    """Remembers what came up in the last `seconds`, up to MOST things."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._seen: dict[Hashable, float] = {}

    def first(self, thing: Hashable) -> bool:
        """True if it did not come up in the last `seconds`; from now on it did."""
        now = time.monotonic()
        seen = self._seen.get(thing)
        if seen is not None and now - seen < self._seconds:
            return False
        if len(self._seen) >= MOST:
            self._seen.clear()
        self._seen[thing] = now
        return True
