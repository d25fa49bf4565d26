"""A model that costs money: not while its breaker is open, not over a cap, and never twice for the same prompt.

Before the call its most is set aside in Postgres, after it what it came to is settled together with the answer. What
dies in between counts as paid. A lead that stops waiting does not stop the call: its answer is kept for the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from itertools import chain, repeat
from typing import Generic, NamedTuple, TypeVar

import stamina
from pydantic import BaseModel

from revenueflow.analysis.base import Asker, Model, Question, Underway, Unusable, Usage
from revenueflow.analysis.ledger import Ask, Busy, Denied, Ended, Known, Ledger, Mine
from revenueflow.analysis.pricing import ModelRules
from revenueflow.analysis.prompt import Prompt
from revenueflow.analysis.schema import analysis, question, read
from revenueflow.db.analyses import Amount, Place
from revenueflow.domain.claim import Analysis
from revenueflow.errors import Unavailable, UpstreamError, UpstreamRejected, UpstreamUnavailable
from revenueflow.privacy.identity import IdentityKey
from revenueflow.resilience.breaker import Breaker
from revenueflow.resilience.crash import crash_point
from revenueflow.telemetry import metrics

DAY_SECONDS = 86_400.0
BUSY_SECONDS = (0.1, 0.2, 0.5)
"""Pauses between two looks at what another one asks; the last again and again."""
CLOSING_SECONDS = 5.0
"""After the time that leads got to finish."""
HELD_SECONDS = 600.0
"""For how long a prompt is left alone to which the model had no usable answer: it was paid, and would be the same."""
BYTES_PER_TOKEN = 2
"""Fewer than any tokenizer makes of the texts that we send."""
OVERHEAD_TOKENS = 1500
"""The schema of the answer, and what a vendor adds."""

A = TypeVar("A", bound=BaseModel)


class Told(NamedTuple, Generic[A]):
    """An answer in its form, with the tokens and US dollars of this run; `cached`: another one had paid for it."""

    answer: A
    usage: Usage
    cost_usd: float
    cached: bool


Read = Callable[[str], A | None]
"""The answer in a text; None if it is not of its form."""


class Paid:
    """An Analyst around a model; it asks other questions, too.

    `breaker` and what is in Postgres are shared with the other workers.
    A call, with all its tries, is cut after `longest` seconds; so long a lead waits for the call of another one, too.
    """

    def __init__(
        self, inner: Model, rules: ModelRules, ledger: Ledger, breaker: Breaker, key: IdentityKey, *, longest: float
    ) -> None:
        self.name = inner.name
        self.model = inner.model
        self._inner = inner
        self._rule = rules.rule(inner.model)
        self._keep = rules.keep_days * DAY_SECONDS
        self._ledger = ledger
        self._breaker = breaker
        self._key = key
        self._longest = longest
        self._calls: set[asyncio.Task[object]] = set()

    async def analyse(self, prompt: Prompt, asker: Asker | None = None) -> Analysis:
        """What is known, or a call; errors as in `Analyst`. Raises Unavailable if Postgres does not answer."""
        if asker is None:
            raise ValueError("a paid analyst must know who pays")
        told = await self.ask(question(prompt), asker, read)
        found = analysis(told.answer, prompt, analyst=self.name, model=self.model)
        return found.model_copy(update={**told.usage._asdict(), "cost_usd": told.cost_usd, "cached": told.cached})

    async def ask(self, question: Question, asker: Asker, read: Read[A]) -> Told[A]:
        """The answer to any question, as `read` makes it of a text: what is known, or a call. Raises as `analyse`."""
        ask = self._ask(question, asker)
        claimed = await self._claim(ask)
        match claimed:
            case Known():
                metrics.model_answers.labels(self.name, "own" if claimed.mine else "cache").inc()
                return self._known(claimed, read)
            case Denied("cap_money" | "cap_tokens" | "spending_stopped", seconds):
                metrics.models_denied.labels(self.name, claimed.reason).inc()
                raise UpstreamUnavailable(self.name, claimed.reason, retry_after=seconds)
            case Denied():
                raise UpstreamRejected(self.name, claimed.reason)
            case Busy():
                raise Underway("another worker asks the same", retry_after=1)
        call = asyncio.create_task(self._call(ask, claimed, question, read))
        self._calls.add(call)
        call.add_done_callback(self._ended)
        return await asyncio.shield(call)

    async def available(self) -> bool:
        """Whether calls are made: the breaker is closed."""
        return await self._breaker.closed()

    async def aclose(self) -> None:
        """Waits a little for the calls that are under way: they are paid. What is cut off counts as made."""
        calls = list(self._calls)
        if calls:
            _, late = await asyncio.wait(calls, timeout=CLOSING_SECONDS)
            for call in late:
                call.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _ended(self, call: asyncio.Task[Told[A]]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # told to the lead that waits; if none does any more, it is no news

    def _ask(self, question: Question, asker: Asker) -> Ask:
        form = question.form
        asked = f"{form.name}\n{self.name}\n{self.model}\n{form.sha256}\n{question.sha256}"
        size = len(question.system.encode()) + len(question.user.encode())
        usage = Usage(size // BYTES_PER_TOKEN + OVERHEAD_TOKENS, self._rule.most_output_tokens)
        most = Amount(self._rule.cost(usage), sum(usage))
        return Ask(Place(self._key.digest(asked.encode()), self.name, self.model, self._keep), asker, most, self._rule)

    async def _claim(self, ask: Ask) -> Mine | Known | Busy | Denied:
        """What we may do; while another worker asks the same, its answer is waited for a little."""
        try:
            await self._breaker.admit()
        except UpstreamUnavailable:
            known = await self._ledger.claim(ask._replace(allowed=False))
            if isinstance(known, Known):
                return known
            raise
        deadline = asyncio.get_running_loop().time() + self._longest
        for pause in chain(BUSY_SECONDS, repeat(BUSY_SECONDS[-1])):
            claimed = await self._ledger.claim(ask)
            if not isinstance(claimed, Busy) or asyncio.get_running_loop().time() > deadline:
                return claimed
            await asyncio.sleep(pause)
        raise AssertionError("the pauses have no end")

    async def _call(self, ask: Ask, mine: Mine, question: Question, read: Read[A]) -> Told[A]:
        crash_point("analysis.before_call")
        try:
            answer, usage = await self._within(question, read)
        except UpstreamError as error:
            await self._breaker.record(ok=not _broken(error))
            await self._settle(self._failed(ask, mine, error))
            raise
        crash_point("analysis.after_call")
        await self._breaker.record(ok=True)
        ended = Ended(ask, mine, usage, self._paid(usage, mine), answer.model_dump_json())
        await self._settle(ended)
        metrics.model_answers.labels(self.name, "call").inc()
        return Told(answer, usage, float(ended.paid.usd), cached=False)

    async def _within(self, question: Question, read: Read[A]) -> tuple[A, Usage]:
        try:
            async with asyncio.timeout(self._longest):
                text, usage = await self._inner.ask(question)
        except TimeoutError:
            raise UpstreamUnavailable(self.name, "timeout") from None
        answer = read(text)
        if answer is None:
            raise Unusable(self.name, "schema_invalid", usage)
        return answer, usage

    def _failed(self, ask: Ask, mine: Mine, error: UpstreamError) -> Ended:
        if isinstance(error, Unusable):
            paid = self._paid(error.usage, mine)
            return Ended(ask, mine, error.usage, paid, reason=error.reason, pause=HELD_SECONDS)
        if error.reason == "timeout":  # it may have done the work
            return Ended(ask, mine, Usage(), mine.reserved)
        return Ended(ask, mine, Usage(), Amount())

    def _paid(self, usage: Usage, mine: Mine) -> Amount:
        """What an answer came to; where a vendor does not tell its tokens, the most."""
        return Amount(self._rule.cost(usage), sum(usage)) if sum(usage) else mine.reserved

    async def _settle(self, ended: Ended) -> None:
        for kind, count in zip(("input", "output"), ended.usage, strict=True):
            metrics.tokens.labels(self.model, kind).inc(count)
        if ended.paid.usd:
            metrics.spend.labels(self.name, "USD").inc(float(ended.paid.usd))
        # It is paid: that Postgres is away for a moment must not lose it.
        async for attempt in stamina.retry_context(on=Unavailable, attempts=10, timeout=20):
            with attempt:
                await self._ledger.settle(ended)

    def _known(self, known: Known, read: Read[A]) -> Told[A]:
        answer = read(known.answer)
        if answer is None:
            raise UpstreamRejected(self.name, "schema_invalid")
        usage = known.usage if known.mine else Usage()
        cost = known.cost if known.mine else Decimal(0)
        return Told(answer, usage, float(cost), cached=not known.mine)


BROKEN = frozenset({"bad_key", "forbidden", "quota"})
"""Refusals that say nothing of the prompt: the next one would be refused too."""


def _broken(error: UpstreamError) -> bool:
    """Whether the model's service, rather than the prompt, is what is wrong. Being too fast is our fault."""
    if isinstance(error, UpstreamRejected):
        return error.reason in BROKEN
    return error.reason != "rate_limited"
