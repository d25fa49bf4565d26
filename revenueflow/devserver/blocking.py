"""Call code that runs an event loop of its own from anywhere, even where a loop runs already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end. Blocks the caller, and its event loop if it has one."""
    return call(lambda: asyncio.run(work))


def call(function: Callable[[], T]) -> T:
    """Call here, or in a thread when this thread runs an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return function()
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(function).result()
