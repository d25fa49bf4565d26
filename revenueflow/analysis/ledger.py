"""The questions to models, in Postgres: who may ask, what is set aside for it, what came of it.

Leads in flight share commits. A cap holds against what is paid and what is set aside, by all workers together.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from revenueflow.analysis.base import Asker, Usage
from revenueflow.analysis.pricing import Caps, ModelRule, ModelRules
from revenueflow.db import analyses, spend
from revenueflow.db.analyses import Amount, Change, Claim, Kept, Place, Settlement
from revenueflow.db.direct import Connection, Direct
from revenueflow.db.spend import Scope
from revenueflow.resilience.sharing import Shared

NOTHING = Amount()


class Ask(NamedTuple):
    """One question; `most` is the most that it can come to. Without `allowed` only what is known is told."""

    place: Place
    asker: Asker
    most: Amount
    rule: ModelRule
    allowed: bool = True


class Mine(NamedTuple):
    """We ask: `reserved` is set aside in the sums of `day`."""

    token: int
    reserved: Amount
    day: str


class Known(NamedTuple):
    """It was answered. `mine`: by a call of this run, which pays `cost` US dollars for it."""

    answer: str
    usage: Usage
    cost: Decimal
    mine: bool


class Busy(NamedTuple):
    """Somebody else is asking."""


class Denied(NamedTuple):
    """Nobody asks: a cap (until `seconds` from now), the stop, or the model could not answer a moment ago."""

    reason: str
    seconds: float | None = None


Claimed = Mine | Known | Busy | Denied


class Ended(NamedTuple):
    """How a question that was ours ended: with an answer (JSON), or a reason that holds for `pause` seconds."""

    ask: Ask
    mine: Mine
    usage: Usage
    paid: Amount
    answer: str | None = None
    reason: str | None = None
    pause: float = 0.0


class Ledger:
    """Claims and settles. For `seconds`, longer than any call, nobody else asks what we are asking."""

    def __init__(self, direct: Direct, rules: ModelRules, seconds: float) -> None:
        self._rules = rules
        self._direct = direct
        self._seconds = seconds
        self.claim: Shared[Ask, Claimed] = Shared(self._claim_all, largest=100)
        """What is known, or whether we may ask now. Raises Unavailable."""
        self.settle: Shared[Ended, bool] = Shared(self._settle_all, largest=100)
        """Notes how it ended; False if somebody else had taken it over. Raises Unavailable."""

    async def _claim_all(self, asks: Sequence[Ask]) -> Sequence[Claimed | Exception]:
        return await self._direct.together(asks, self._claim_some)

    async def _claim_some(self, connection: Connection, asks: Sequence[Ask]) -> Sequence[Claimed]:
        kept, now, stopped = await analyses.lock(connection, [ask.place for ask in asks], spend.STOPPED)
        desk = _Desk(self._rules, now, seconds=self._seconds, stopped=stopped)
        due = [ask for ask in asks if _is_due(kept[ask.place.key])]
        if scopes := desk.scopes(due, kept):
            desk.taken = await analyses.lock_spend(connection, list(scopes))
        claimed = [desk.decide(ask, kept[ask.place.key]) for ask in asks]
        uses = [(ask.asker.lead_id, ask.place.key) for ask in asks]
        await analyses.claim(connection, uses, desk.claims, desk.changes)
        return claimed

    async def _settle_all(self, ends: Sequence[Ended]) -> Sequence[bool | Exception]:
        return await self._direct.together(ends, _settle_some, one_statement=True)


async def tidy(direct: Direct, seconds: float) -> int:
    """Settles calls that nobody came back from for `seconds`, and drops answers past their time. Raises Unavailable."""
    async with direct.connection() as connection:
        return await analyses.tidy(connection, seconds)


def _is_due(kept: Kept) -> bool:
    return kept.answer is None and not kept.busy and not (kept.reason and kept.held)


class _Desk:
    """Decides on one batch: each question is claimed once, as long as there is room under the caps."""

    def __init__(self, rules: ModelRules, now: datetime, *, seconds: float, stopped: bool) -> None:
        self._rules = rules
        self._seconds = seconds
        self._stopped = stopped
        self._day = now.astimezone(UTC).date().isoformat()
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        self._left = (midnight - now).total_seconds()
        self._claimed: set[bytes] = set()
        self.taken: dict[Scope, Amount] = {}
        self.claims: list[Claim] = []
        self.changes: dict[Scope, Change] = {}

    def scopes(self, due: Sequence[Ask], kept: dict[bytes, Kept]) -> set[Scope]:
        """Every scope whose sums must be known, or may change."""
        new = {scope for ask in due for scope in scopes(ask.place.model, self._day)}
        old = [kept[ask.place.key] for ask in due]
        return new | {scope for one in old if one.reserved_day for scope in scopes(one.model, one.reserved_day)}

    def decide(self, ask: Ask, kept: Kept) -> Claimed:
        """Claims the question, or says why not."""
        if kept.answer is not None:
            usage = Usage(kept.input_tokens, kept.output_tokens)
            return Known(kept.answer, usage, kept.cost, mine=kept.paid_by == ask.asker.run)
        if kept.busy or ask.place.key in self._claimed:
            return Busy()
        if kept.reason and kept.held:
            return Denied(kept.reason)
        if not ask.allowed:
            return Denied("not_known")
        if self._stopped:
            return Denied(spend.STOPPED)
        if reason := self._full(ask):
            return Denied(reason, self._left)
        return self._claim(ask, kept)

    def _full(self, ask: Ask) -> str | None:
        caps: tuple[Caps, ...] = (self._rules.caps, ask.rule)
        for scope, cap in zip(scopes(ask.place.model, self._day), caps, strict=True):
            taken = self.taken[scope]
            if cap.day_usd is not None and taken.usd + ask.most.usd > Decimal(str(cap.day_usd)):
                return "cap_money"
            if cap.day_tokens is not None and taken.tokens + ask.most.tokens > cap.day_tokens:
                return "cap_tokens"
        return None

    def _claim(self, ask: Ask, kept: Kept) -> Mine:
        if kept.reserved_day:  # whoever asked last never told how it ended: it counts as made
            self._change(kept.model, kept.reserved_day, Change(_less(kept.reserved), kept.reserved))
        self._change(ask.place.model, self._day, Change(ask.most, NOTHING))
        for scope in scopes(ask.place.model, self._day):
            self.taken[scope] = _sum(self.taken[scope], ask.most)
        self._claimed.add(ask.place.key)
        self.claims.append(Claim(ask.place, self._seconds, ask.most, self._day))
        return Mine(kept.token + 1, ask.most, self._day)

    def _change(self, model: str, day: str, change: Change) -> None:
        for scope in scopes(model, day):
            before = self.changes.get(scope, Change(NOTHING, NOTHING))
            self.changes[scope] = Change(_sum(before.reserved, change.reserved), _sum(before.settled, change.settled))


def scopes(model: str, day: str) -> tuple[Scope, Scope]:
    """Where a call counts: with all models, and with its own."""
    return ("models", day), (f"model:{model}", day)


async def _settle_some(connection: Connection, ends: Sequence[Ended]) -> Sequence[bool]:
    told = await analyses.settle(connection, [_settlement(one) for one in ends])
    return [one.ask.place.key in told for one in ends]


def _settlement(one: Ended) -> Settlement:
    change = Change(_less(one.mine.reserved), one.paid)
    return Settlement(
        one.ask.place.key, one.mine.token, one.answer, one.reason, one.pause, one.ask.asker.run, *one.usage,
        one.paid.usd, [(scope, change) for scope in scopes(one.ask.place.model, one.mine.day)],
    )  # fmt: skip


def _sum(one: Amount, other: Amount) -> Amount:
    return Amount(one.usd + other.usd, one.tokens + other.tokens)


def _less(one: Amount) -> Amount:
    return Amount(-one.usd, -one.tokens)
