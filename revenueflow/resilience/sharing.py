"""Sharing one commit, one statement or one fsync between all that need it at the same moment.

Nothing waits for a window to pass: while one batch is under way, whatever is asked is the next one. So a lone request
is served at once, and under load the cost of a commit is divided by the number of those that share it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

from revenueflow.errors import Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")
Perform: TypeAlias = Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]]


class Shared(Generic[Item, Result]):
    """`await shared(item)` gives the item's own result, or raises its own error.

    `perform` takes up to `largest` items and answers with a result or an exception for each, in their order. If it
    raises, all of them get that error. A caller that is cancelled does not stop the batch that it is part of; before
    that begins, its item is left out. With more than one lane as many batches may be under way.
    """

    def __init__(self, perform: Perform[Item, Result], *, largest: int = 500, lanes: int = 1) -> None:
        self._perform = perform
        self._largest = largest
        self._lanes = lanes
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, item: Item) -> Result:
        """The result of `item`, once the batch that it is part of has ended."""
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        self._start()
        return await answer

    def _start(self) -> None:
        if self._waiting and len(self._running) < self._lanes:
            task = asyncio.create_task(self._run())
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        # Should a lane ever break off, those that wait behind it are not forgotten.
        self._running.discard(task)
        if not task.cancelled():
            self._start()

    async def _run(self) -> None:
        while batch := self._next_batch():
            try:
                (ended,) = await asyncio.gather(self._perform([item for item, _ in batch]), return_exceptions=True)
                results = [ended] * len(batch) if isinstance(ended, BaseException) else ended
                for (_, answer), result in zip(batch, results, strict=True):
                    _settle(answer, result)
            finally:
                for _, answer in batch:
                    _settle(answer, Unavailable("a shared write broke off", retry_after=1))

    def _next_batch(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        batch: list[tuple[Item, asyncio.Future[Result]]] = []
        while self._waiting and len(batch) < self._largest:
            item, answer = self._waiting.popleft()
            if not answer.done():
                batch.append((item, answer))
        return batch


def _settle(answer: asyncio.Future[Result], result: Result | BaseException) -> None:
    if answer.done():
        return
    if isinstance(result, BaseException):
        answer.set_exception(result)
    else:
        answer.set_result(result)
