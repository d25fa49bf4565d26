"""One answer for all that ask the same: from what is kept, else by one call that they share, within the caps.

In one process those that ask the same at the same time wait for one task; between processes they meet at the row in
Postgres. A lead that does not wait any longer leaves its question: if it was not asked yet, and nobody else wants it,
it is not asked at all; else its answer is kept for the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import stamina

from revenueflow.db.direct import Direct
from revenueflow.db.lookups import Place
from revenueflow.enrichment import replies
from revenueflow.enrichment.answers import Answered
from revenueflow.enrichment.base import Findings, Lookup, Question, Status
from revenueflow.enrichment.budget import dollars
from revenueflow.enrichment.freshness import Due, Failed, Known, Wait
from revenueflow.enrichment.keys import digest
from revenueflow.enrichment.ledger import Ask, Claimed, Ended, Ledger, Mine
from revenueflow.enrichment.plan import Wanted
from revenueflow.enrichment.rules import EnrichmentRules
from revenueflow.enrichment.vendors import BROKEN, Vendors
from revenueflow.errors import OutcomeUnknown, Unavailable, UpstreamError, UpstreamUnavailable
from revenueflow.privacy.identity import IdentityKey
from revenueflow.resilience.crash import crash_point
from revenueflow.resilience.sharing import Shared
from revenueflow.telemetry import metrics

HELD_SECONDS = 600.0
"""For how long a question is left alone that failed in a way that the next try would repeat, or that may be paid."""
HELD_BRIEFLY_SECONDS = 15.0
"""… and one that was clearly not executed, or that the provider refuses whatever is asked."""
BUSY_SECONDS = 0.1
BUSY_PATIENCE = 3.0
"""How long a lead waits here for the call of another process, before it comes back later."""


class Cache:
    """Answers for leads. Closed by `aclose`, after which what is under way has been settled."""

    def __init__(
        self, direct: Direct, key: IdentityKey, vendors: Vendors, rules: EnrichmentRules, claim_seconds: float
    ) -> None:
        self._ledger = Ledger(direct, rules, claim_seconds)
        self._key = key
        self._vendors = vendors
        self._rules = rules
        self._flights: dict[Place, _Flight] = {}
        self._lines: Mapping[tuple[str, str], Shared[_Flight, Answered]] = {
            (provider, lookup.name): Shared(
                partial(self._serve, provider, lookup), largest=lookup.largest, lanes=rules.providers[provider].at_once
            )
            for provider, lookups in vendors.offers.items()
            for lookup in lookups
        }

    async def ask(self, wanted: Wanted, campaign_id: str, run: UUID, seconds: float) -> Answered:
        """The answer, if it comes within `seconds`. What goes wrong with a provider is in the report.

        Raises Unavailable if Postgres does not answer.
        """
        ask = Ask(self._place(wanted), wanted, campaign_id, run, self._rules.good_for(wanted.lookup, wanted.signals))
        flight = self._flights.get(ask.place)
        mine = flight is None
        if flight is None:
            flight = self._flights[ask.place] = _Flight(ask, self._forget)
            flight.task = asyncio.create_task(self._fly(flight))
            flight.task.add_done_callback(_heard)
        try:
            async with asyncio.timeout(seconds), flight:
                answered = await asyncio.shield(flight.task)
        except TimeoutError:
            answered = replies.out_of_time(ask, flight.stale, begun=flight.begun)
        answered = answered if mine or flight.ask.run == run else replies.shared(answered)
        metrics.lookups.labels(wanted.provider, answered.report.origin.value, answered.report.outcome).inc()
        return answered

    async def aclose(self) -> None:
        """Waits for the calls that are under way; drops the questions that were not asked yet."""
        for flight in list(self._flights.values()):
            flight.leave()
        await asyncio.gather(*(flight.task for flight in self._flights.values()), return_exceptions=True)

    def _place(self, wanted: Wanted) -> Place:
        return Place(wanted.provider, wanted.lookup.name, digest(self._key, wanted.lookup.key, wanted.key))

    async def _fly(self, flight: _Flight) -> Answered:
        try:
            return await self._answer(flight)
        finally:
            self._forget(flight)

    def _forget(self, flight: _Flight) -> None:
        if self._flights.get(flight.ask.place) is flight:
            del self._flights[flight.ask.place]

    async def _answer(self, flight: _Flight) -> Answered:
        ask = flight.ask
        verdict = await self._ledger.look(ask)
        if isinstance(verdict, Known | Failed) or (isinstance(verdict, Wait) and not verdict.busy):
            return replies.told(ask, verdict)
        flight.stale = verdict.stale if isinstance(verdict, Due) else None
        try:
            return await self._lines[ask.wanted.provider, ask.wanted.lookup.name](flight)
        except UpstreamError as error:
            return replies.failed(ask, error, flight.stale)

    async def _serve(self, provider: str, lookup: Lookup, flights: Sequence[_Flight]) -> Sequence[Answered | Exception]:
        """One call at the most, for those that it may be made for and that somebody still waits for."""
        await self._vendors.admit(provider)
        claims = await asyncio.gather(*map(self._begin, flights), return_exceptions=True)
        ours = [(flight.ask, claim) for flight, claim in zip(flights, claims, strict=True) if isinstance(claim, Mine)]
        called = iter(await self._call(provider, lookup, ours) if ours else ())
        return [
            next(called) if isinstance(claim, Mine) else replies.heard_of(flight.ask, claim)
            for flight, claim in zip(flights, claims, strict=True)
        ]

    async def _begin(self, flight: _Flight) -> Claimed:
        if flight.left:
            return Wait(replies.QUEUED_SECONDS, busy=True)
        flight.begun = True
        return await self._claim(flight.ask)

    async def _claim(self, ask: Ask) -> Claimed:
        """What we may do about a question; while another process asks it, its answer is waited for a little."""
        deadline = asyncio.get_running_loop().time() + BUSY_PATIENCE
        while True:
            claimed = await self._ledger.claim(ask)
            busy = isinstance(claimed, Wait) and claimed.busy
            if not busy or asyncio.get_running_loop().time() > deadline:
                return claimed
            await asyncio.sleep(BUSY_SECONDS)

    async def _call(
        self, provider: str, lookup: Lookup, ours: Sequence[tuple[Ask, Mine]]
    ) -> Sequence[Answered | Exception]:
        questions = [Question(ask.wanted.key, mine.handle) for ask, mine in ours]
        crash_point("lookup.before_call")
        try:
            found: Sequence[Findings | UpstreamError] = await self._vendors.call(provider, lookup, questions)
        except UpstreamError as error:
            found = [error] * len(ours)
        crash_point("lookup.after_call")
        ended = [self._ended(ask, mine, one) for (ask, mine), one in zip(ours, found, strict=True)]
        times = await asyncio.gather(*map(self._settle, ended), return_exceptions=True)
        return [replies.answered(*each) for each in zip(ended, found, times, strict=True)]

    async def _settle(self, ended: Ended) -> datetime | None:
        # It is paid: that Postgres is away for a moment must not lose it.
        async for attempt in stamina.retry_context(on=Unavailable, attempts=10, timeout=20):
            with attempt:
                return await self._ledger.settle(ended)
        raise AssertionError("a retry ends by a result or an error")

    def _ended(self, ask: Ask, mine: Mine, found: Findings | UpstreamError) -> Ended:
        if isinstance(found, UpstreamError):
            unknown = isinstance(found, OutcomeUnknown)
            cost = mine.reserved if unknown else dollars(0)
            return Ended(ask, mine, cost=cost, pause=_held(found), reason=found.reason)
        if found.status is Status.PENDING:
            return Ended(ask, mine, cost=None, pause=found.retry_after, handle=found.handle)
        if found.status is Status.FAILED:
            return Ended(ask, mine, pause=HELD_SECONDS, reason=found.reason or "failed")
        rule = self._rules.providers[ask.wanted.provider]
        charged = found.charged != 0 and (found.status is Status.FOUND or rule.charged == "asked")
        cost = mine.reserved if charged else dollars(0)
        if cost:
            metrics.spend.labels(ask.wanted.provider, "USD").inc(float(cost))
        return Ended(ask, mine, found.model_dump_json(exclude_defaults=True), cost)


class _Flight:
    """A question on its way. Each lead that waits for it does so inside of it, as a context."""

    def __init__(self, ask: Ask, forget: Callable[[_Flight], None]) -> None:
        self.ask = ask
        self._forget = forget
        self.begun = False
        self.left = False
        self.stale: Known | None = None
        self.task: asyncio.Task[Answered]
        self._waiting = 0

    async def __aenter__(self) -> None:
        self._waiting += 1

    async def __aexit__(self, *_: object) -> None:
        self._waiting -= 1
        if self._waiting == 0:
            self.leave()

    def leave(self) -> None:
        """Nobody waits: what was not asked yet is not asked."""
        if not self.begun and not self.task.done():
            self.left = True
            self._forget(self)
            self.task.cancel()


def _heard(task: asyncio.Task[Answered]) -> None:
    # What Postgres said is told to those that wait; if nobody does any more, it is no news.
    if not task.cancelled():
        task.exception()


def _held(error: UpstreamError) -> float:
    """Seconds for which nobody asks the same again."""
    if isinstance(error, UpstreamUnavailable) or error.reason in BROKEN:
        return max(HELD_BRIEFLY_SECONDS, error.retry_after or 0.0)
    return HELD_SECONDS
