"""The questions in Postgres: who may ask, what is reserved for it, what came of it. Leads in flight share commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from revenueflow.db import lookups, spend
from revenueflow.db.direct import Connection, Direct
from revenueflow.db.lookups import Claim, Kept, Place, Settlement
from revenueflow.db.spend import Change, Scope
from revenueflow.enrichment import budget
from revenueflow.enrichment.freshness import Due, Failed, Known, Lasting, Verdict, Wait, judge
from revenueflow.enrichment.plan import Wanted
from revenueflow.enrichment.rules import EnrichmentRules
from revenueflow.resilience.sharing import Shared

NOTHING = Decimal(0)


class Ask(NamedTuple):
    """One question of one run of a lead's."""

    place: Place
    wanted: Wanted
    campaign_id: str
    run: UUID
    good_for: timedelta


class Mine(NamedTuple):
    """We ask. `reserved` US dollars are set aside in these scopes."""

    token: int
    handle: str | None
    stale: Known | None
    reserved: Decimal
    scopes: tuple[Scope, ...]


class Denied(NamedTuple):
    """Nobody asks: a cap is reached, or spending was stopped."""

    reason: str
    stale: Known | None


Claimed = Mine | Known | Wait | Failed | Denied


class Ended(NamedTuple):
    """How a question that was ours ended; `cost` is in US dollars, None: not yet known.

    For `pause` seconds nobody asks again: it is pending, or it failed for this `reason`.
    """

    ask: Ask
    mine: Mine
    findings: str | None = None
    cost: Decimal | None = NOTHING
    pause: float | None = None
    reason: str | None = None
    handle: str | None = None


class Ledger:
    """Reads, claims and settles. For `claim_seconds`, longer than any call, nobody else asks what we are asking."""

    def __init__(self, direct: Direct, rules: EnrichmentRules, claim_seconds: float) -> None:
        self._direct = direct
        self._rules = rules
        self._seconds = claim_seconds
        self._not_found_for, self._stale_for = timedelta(days=rules.not_found_days), timedelta(days=rules.stale_days)
        self._reads: Shared[Ask, Verdict] = Shared(self._read_all)
        self._claims: Shared[Ask, Claimed] = Shared(self._claim_all, largest=100)
        self._ends: Shared[Ended, datetime | None] = Shared(self._settle_all, largest=100)

    async def look(self, ask: Ask) -> Verdict:
        """What is known of a question. Raises Unavailable."""
        return await self._reads(ask)

    async def claim(self, ask: Ask) -> Claimed:
        """Whether we may ask it now, and what is set aside for it. Raises Unavailable."""
        return await self._claims(ask)

    async def settle(self, ended: Ended) -> datetime | None:
        """Notes how it ended; when, or None if somebody else had taken it over. Raises Unavailable."""
        return await self._ends(ended)

    def _judge(self, ask: Ask, kept: Mapping[Place, Kept], now: datetime) -> Verdict:
        return judge(kept.get(ask.place), now, Lasting(ask.good_for, self._not_found_for, self._stale_for))

    async def _read_all(self, asks: Sequence[Ask]) -> Sequence[Verdict]:
        async with self._direct.connection() as connection:
            kept, now = await lookups.read(connection, list({ask.place for ask in asks}))
        return [self._judge(ask, kept, now) if now else Due() for ask in asks]

    async def _claim_all(self, asks: Sequence[Ask]) -> Sequence[Claimed | Exception]:
        return await self._direct.together(asks, self._claim_some)

    async def _claim_some(self, connection: Connection, asks: Sequence[Ask]) -> Sequence[Claimed]:
        kept, now, stopped = await lookups.lock(connection, list({ask.place for ask in asks}), spend.STOPPED)
        desk = _Desk(self._rules, kept, now, seconds=self._seconds, stopped=stopped)
        judged = [self._judge(ask, kept, now) for ask in asks]
        due = [ask for ask, verdict in zip(asks, judged, strict=True) if isinstance(verdict, Due)]
        if scopes := desk.scopes(due):
            desk.taken = await spend.lock(connection, scopes)
        claimed = [
            desk.decide(ask, verdict) if isinstance(verdict, Due) else verdict
            for ask, verdict in zip(asks, judged, strict=True)
        ]
        if desk.claims:
            await lookups.claim(connection, desk.claims, desk.changes)
        return claimed

    async def _settle_all(self, ends: Sequence[Ended]) -> Sequence[datetime | Exception | None]:
        return await self._direct.together(ends, _settle_some, one_statement=True)


async def tidy(direct: Direct, seconds: float) -> int:
    """Ends reservations that nobody has come back for in `seconds`; how many. Raises Unavailable."""
    async with direct.connection() as connection:
        return await lookups.tidy(connection, seconds)


class _Desk:
    """Decides on one batch of questions: each is claimed once, as long as there is money."""

    def __init__(
        self, rules: EnrichmentRules, kept: Mapping[Place, Kept], now: datetime, *, seconds: float, stopped: bool
    ) -> None:
        self._rules = rules
        self._kept = kept
        self._seconds = seconds
        self._day = now.astimezone(UTC).date().isoformat()
        self._stopped = stopped
        self._claimed: set[Place] = set()
        self.taken: dict[Scope, Decimal] = {}
        self.claims: list[Claim] = []
        self.changes: dict[Scope, Change] = {}

    def scopes(self, asks: Sequence[Ask]) -> list[Scope]:
        """Every scope whose sum must be known, or may change."""
        new = {scope for ask in asks if self._price(ask) for scope in self._caps(ask)}
        old = [self._kept[ask.place] for ask in asks]
        return sorted(new | {scope for kept in old if kept.reserved for scope in kept.reserved_in})

    def decide(self, ask: Ask, due: Due) -> Claimed:
        """Claims the question, or says why not."""
        if ask.place in self._claimed:
            return Wait(self._seconds, busy=True)
        kept, price = self._kept[ask.place], self._price(ask)
        if due.abandoned and kept.reserved:
            self._add(kept.reserved_in, -kept.reserved, kept.reserved)
        if price and self._stopped and not (kept.state == "pending" and kept.handle):
            return Denied("spending_stopped", due.stale)
        if kept.state == "pending" and kept.reserved:
            return self._claim(ask, due, kept.handle, kept.reserved, kept.reserved_in)
        if price and (reason := budget.full(self.taken, self._caps(ask), price)):
            return Denied(reason, due.stale)
        scopes = tuple(self._caps(ask)) if price else ()
        for scope in scopes:
            self.taken[scope] += price
        self._add(scopes, price, NOTHING)
        return self._claim(ask, due, kept.handle if kept.state == "pending" else None, price, scopes)

    def _claim(self, ask: Ask, due: Due, handle: str | None, reserved: Decimal, scopes: tuple[Scope, ...]) -> Mine:
        self._claimed.add(ask.place)
        self.claims.append(Claim(ask.place, self._seconds, reserved, scopes))
        return Mine(self._kept[ask.place].token + 1, handle, due.stale, reserved, scopes)

    def _add(self, scopes: Sequence[Scope], reserved: Decimal, settled: Decimal) -> None:
        _sum(self.changes, scopes, reserved, settled)

    def _price(self, ask: Ask) -> Decimal:
        return budget.dollars(self._rules.price(ask.wanted.provider, ask.wanted.lookup))

    def _caps(self, ask: Ask) -> dict[Scope, Decimal | None]:
        return budget.scopes(self._rules, ask.wanted.provider, ask.campaign_id, self._day)


async def _settle_some(connection: Connection, ends: Sequence[Ended]) -> Sequence[datetime | None]:
    told = await lookups.settle(connection, [_settlement(one) for one in ends])
    return [told.get(one.ask.place) for one in ends]


def _settlement(one: Ended) -> Settlement:
    pending, mine = one.cost is None, one.mine
    changes = [] if one.cost is None else [(scope, Change(-mine.reserved, one.cost)) for scope in mine.scopes]
    return Settlement(
        one.ask.place, mine.token, "pending" if pending else "idle", one.findings, one.cost or NOTHING,
        one.ask.run if one.cost else None, one.pause, one.reason, one.handle, mine.reserved if pending else NOTHING,
        changes,
    )  # fmt: skip


def _sum(changes: dict[Scope, Change], scopes: Sequence[Scope], reserved: Decimal, settled: Decimal) -> None:
    for scope in scopes:
        before = changes.get(scope, Change(NOTHING, NOTHING))
        changes[scope] = Change(before.reserved + reserved, before.settled + settled)
