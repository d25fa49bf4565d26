"""Scores stored leads anew, in batches: a run goes on where it was, whichever worker it was that ended.

Any number of workers may run it. The leads of a batch, their history, the trail and how far the run has come are one
commit, conditional on the token of the lease: no lead is scored twice by a run, and none is left out.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from revenueflow.audit import trail
from revenueflow.clock import utcnow
from revenueflow.db import leads, offers, scores, scorings
from revenueflow.db.direct import Connection
from revenueflow.db.scores import Made, Which
from revenueflow.db.scorings import Held
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import Contended, InvalidInput, LeaseLost, Unavailable
from revenueflow.pipeline.context import Services
from revenueflow.pipeline.rescore import Shelf
from revenueflow.pipeline.score import score_columns, told
from revenueflow.resilience.crash import crash_point
from revenueflow.scoring.profile import Profile
from revenueflow.scoring.reasoning import reasoning
from revenueflow.telemetry import logs

PAUSE = 1.0
BATCH = 50
"""Leads whose rows are held while they are scored."""
TRIES = 6
TURN = 20
"""Leads that are scored before others get their turn."""

log = logs.get("scorings")


async def run(services: Services, *, lease: float, pause: float = PAUSE) -> None:
    """Runs until cancelled."""
    while True:
        try:
            while await turn(services, lease=lease):
                pass
        except (Unavailable, LeaseLost) as error:
            log.warning("scoring_interrupted", detail=error.detail)
        await asyncio.sleep(pause)


async def turn(services: Services, *, lease: float, batch: int = BATCH) -> bool:
    """Takes up one run and brings it to its end; False if there is none. Raises Unavailable, LeaseLost."""
    async with services.direct.connection() as connection:
        held = await scorings.claim(connection, lease=lease)
        if held is None:
            return False
        await scorings.count(connection, held)
    one = _Scoring(services, held, lease, batch)
    try:
        await one.to_the_end()
    except InvalidInput:
        await one.finish(error="unknown_profile")
    return True


class _Scoring:
    """A run that this worker holds."""

    def __init__(self, services: Services, held: Held, lease: float, batch: int) -> None:
        self._services = services
        self._held = held
        self._lease = lease
        self._batch = batch
        overwrite = {signal: rule.overwrite for signal, rule in services.waterfall.rules.signals.items()}
        self._shelf = Shelf(services.vocabulary, overwrite)
        self._trace = secrets.token_hex(16)

    async def to_the_end(self) -> None:
        """Batch by batch. Raises LeaseLost if another worker has taken over."""
        named, cursor = await self._named(), self._held.cursor
        which = Which(self._held.campaign_id, self._held.scope == "unscored")
        more = True
        while more:
            cursor, more = await self._patiently(cursor, which, named)
        await self.finish()

    async def _patiently(self, cursor: UUID | None, which: Which, named: str | None) -> tuple[UUID | None, bool]:
        """A batch; again, while runs of the pipeline hold one of its leads."""
        for tries in range(TRIES):
            try:
                return await self._score_batch(cursor, which, named)
            except Contended:
                await asyncio.sleep(0.05 * 2**tries)
        return await self._score_batch(cursor, which, named)

    async def _score_batch(self, cursor: UUID | None, which: Which, named: str | None) -> tuple[UUID | None, bool]:
        """The last lead that is done, and whether there may be more."""
        async with self._services.direct.transaction() as connection:
            rows = await scores.stored(connection, which, after=cursor, limit=self._batch, lock=True)
            if not rows:
                return cursor, False
            made = await self._scored(rows, named)
            crash_point("scoring.before_commit")
            await self._write(connection, made, rows[-1]["id"], len(rows))
        crash_point("scoring.after_commit")
        return rows[-1]["id"], True

    async def finish(self, *, error: str | None = None) -> None:
        """Ends the run."""
        async with self._services.direct.connection() as connection:
            await scorings.finish(connection, self._held, error=error)

    async def _named(self) -> str | None:
        """The profile that the run names, else that of its offer."""
        if self._held.profile or self._held.offer_id is None:
            return self._held.profile
        async with self._services.database.transaction() as session:
            offer = await offers.get(session, self._held.offer_id)
        return offer["profile"] if offer else None

    async def _scored(self, rows: Sequence[dict[str, Any]], named: str | None) -> list[Made]:
        # Offers are remembered: within the transaction nothing waits for another connection but for a moment.
        made, now = [], utcnow()
        for number, row in enumerate(rows):
            if number % TURN == 0:
                await asyncio.sleep(0)
            if (known := self._shelf.known(row, now)) is None:
                continue
            score = known.by(await self._profile(known.campaign_id, named), self._services.vocabulary)
            made.append(Made(known.id, known.run_version, score, reasoning(score), scoring_id=self._held.id))
        return made

    async def _profile(self, campaign_id: str, named: str | None) -> Profile:
        if named:
            return self._services.profiles.get(named)
        return self._services.profiles.of(campaign_id, (await self._services.offers.of(campaign_id)).profile)

    async def _write(self, connection: Connection, made: Sequence[Made], cursor: UUID, rows: int) -> None:
        skipped = rows - len(made)
        ours = await scorings.advance(
            connection, self._held, cursor=cursor, scored=len(made), skipped=skipped, lease=self._lease
        )
        if not ours:
            raise LeaseLost("another worker holds this scoring now")
        await leads.write(connection, [(one.lead_id, score_columns(one.score)) for one in made])
        await scores.add(connection, made)
        await trail.append_rows(connection, [self._event(one) for one in made])

    def _event(self, made: Made) -> dict[str, Any]:
        detail = {**told(made.score), "scoring": str(self._held.id)}
        entry = AuditEntry("lead.scored_again", "done", detail, actor=self._held.created_by)
        return trail.row(trail.Subject(made.lead_id, None, self._trace), entry)
