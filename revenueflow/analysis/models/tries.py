"""Two tries at most, and never a second one for what may be paid already."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import stamina

from revenueflow.errors import UpstreamUnavailable

T = TypeVar("T")

LONGEST_WAIT: Final = 3.0
WORTH_ANOTHER_TRY: Final = frozenset({"rate_limited", "overloaded", "unreachable"})
"""Not `timeout`: a model that was slow once has probably done, and charged, the work."""


async def tried(attempt: Callable[[], Awaitable[T]], *, tries: int) -> T:
    """What `attempt` gives, tried up to `tries` times. A short `Retry-After` is obeyed, a long one ends it."""
    async for turn in stamina.retry_context(
        on=_again, attempts=tries, timeout=None, wait_initial=0.2, wait_max=LONGEST_WAIT, wait_jitter=0.3
    ):
        with turn:
            return await attempt()
    raise AssertionError("stamina ends with an answer or an error")


def _again(error: Exception) -> bool | float:
    """Whether to try again, or after how many seconds."""
    if not isinstance(error, UpstreamUnavailable) or error.reason not in WORTH_ANOTHER_TRY:
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= LONGEST_WAIT else False
