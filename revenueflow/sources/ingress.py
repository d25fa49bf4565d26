"""The door: what arrives is durable before it is answered, in Postgres, or in the spool while Postgres is away.

Requests in flight share one commit. Nothing waits for a window to pass: while one commit is under way, whatever
arrives is the next group. Redis has no part in it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from revenueflow.db.deliveries import NewDelivery
from revenueflow.db.direct import Direct
from revenueflow.errors import RevenueFlowError, Unavailable
from revenueflow.privacy.identity import IdentityKey
from revenueflow.resilience.sharing import Shared
from revenueflow.sources.arrival import Arrival, identify
from revenueflow.sources.gate import Gate
from revenueflow.sources.storing import Answer, Receipt, store
from revenueflow.telemetry import metrics

LARGEST_GROUP = 500
PATIENCE = 0.15
"""Seconds after which an arrival that is not in Postgres yet goes to the spool."""
LEAST_PATIENCE = 0.02
"""Seconds that Postgres has at least, for those that waited behind a slow group."""


class Spooling(Protocol):
    """Where deliveries wait while Postgres is away."""

    async def append(self, rows: Sequence[NewDelivery]) -> None:
        """Returns when they are on disk. Raises Unavailable if they are not."""


class _Request(NamedTuple):
    rows: list[NewDelivery]
    arrived: float


class Ingress:
    """Stores arrivals. One per process; `poke` is called after each commit and must not block.

    Without a spool an arrival waits for Postgres, however long that takes.
    """

    def __init__(
        self,
        direct: Direct,
        key: IdentityKey,
        poke: Callable[[], None] = lambda: None,
        spool: Spooling | None = None,
    ) -> None:
        self._direct = direct
        self._key = key
        self._poke = poke
        self._spool = spool
        self._gate = Gate(direct)
        self._shared: Shared[_Request, list[Receipt]] = Shared(self._keep, largest=LARGEST_GROUP)
        self._late: set[asyncio.Task[list[Answer]]] = set()

    async def accept(self, arrivals: Sequence[Arrival], trace_id: str) -> list[Receipt]:
        """Stores the arrivals and answers in their order, once they are on disk.

        Raises Unavailable if neither Postgres nor the spool could take one of them: nothing was promised, the sender
        tries again with the same key.
        """
        if not arrivals:
            return []
        rows = [self._row(each, trace_id) for each in arrivals]
        receipts = await self._shared(_Request(rows, time.monotonic()))
        for arrival, receipt in zip(arrivals, receipts, strict=True):
            metrics.deliveries.labels(arrival.source, receipt.status).inc()
        return receipts

    async def aclose(self) -> None:
        """Ends what is still under way."""
        self._gate.close()
        for task in list(self._late):
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)

    def _row(self, arrival: Arrival, trace_id: str) -> NewDelivery:
        known = identify(arrival, self._key)
        parsed = arrival.understood.model_dump_json(exclude_none=True) if known.lead_id and arrival.understood else None
        return NewDelivery(
            known.delivery_id, arrival.source, arrival.delivery_key, arrival.raw, arrival.digest(),
            arrival.content_type[:200], parsed, known.lead_id, known.identity_key,
            "accepted" if known.lead_id else "quarantined", known.reason, trace_id,
        )  # fmt: skip

    async def _keep(self, requests: Sequence[_Request]) -> list[list[Receipt] | Exception]:
        """One group: to Postgres, and what is not there in time to the spool."""
        rows = [row for request in requests for row in request.rows]
        waited = time.monotonic() - requests[0].arrived
        answers = await self._to_postgres(rows, max(LEAST_PATIENCE, PATIENCE - waited))
        if self._spool:
            answers = await self._rest_to_spool(self._spool, rows, answers)
        asyncio.get_running_loop().call_soon(self._poke)  # off the response path
        return _by_request(requests, answers)

    async def _to_postgres(self, rows: Sequence[NewDelivery], patience: float) -> list[Answer]:
        if self._spool and not self._gate.is_open:
            return [Unavailable("Postgres does not answer", retry_after=1)] * len(rows)
        writing = asyncio.create_task(store(self._direct, rows))
        await asyncio.wait({writing}, timeout=patience if self._spool else None)
        if not writing.done():  # it may yet commit: the spool holds the same ids
            self._late.add(writing)
            writing.add_done_callback(self._late_ended)
            self._gate.failed()
            return [Unavailable("Postgres takes too long", retry_after=1)] * len(rows)
        return self._outcome(writing, len(rows))

    def _outcome(self, writing: asyncio.Task[list[Answer]], count: int) -> list[Answer]:
        error = writing.exception()
        if error is None:
            self._gate.succeeded()
            return writing.result()
        if not isinstance(error, RevenueFlowError):
            raise error
        self._gate.failed()
        return [error] * count

    def _late_ended(self, task: asyncio.Task[list[Answer]]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # its rows are in the spool: whatever it came to, nobody is waiting

    async def _rest_to_spool(
        self, spool: Spooling, rows: Sequence[NewDelivery], answers: Sequence[Answer]
    ) -> list[Answer]:
        rest = [row for row, answer in zip(rows, answers, strict=True) if isinstance(answer, Unavailable)]
        if not rest:
            return list(answers)
        try:
            await spool.append(rest)
        except Unavailable as error:
            return [error if isinstance(answer, Unavailable) else answer for answer in answers]
        pairs = zip(rows, answers, strict=True)
        return [_spooled(row) if isinstance(answer, Unavailable) else answer for row, answer in pairs]


def _spooled(row: NewDelivery) -> Receipt:
    return Receipt(row.id, row.lead_id, "spooled", row.reason)


def _by_request(requests: Sequence[_Request], answers: Sequence[Answer]) -> list[list[Receipt] | Exception]:
    """A request gets its receipts, or the first error of its rows."""
    each = iter(answers)
    results: list[list[Receipt] | Exception] = []
    for request in requests:
        own = [next(each) for _ in request.rows]
        errors = [answer for answer in own if isinstance(answer, Exception)]
        results.append(errors[0] if errors else [answer for answer in own if isinstance(answer, Receipt)])
    return results
