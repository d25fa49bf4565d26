"""Queries on timers: who is to touch a lead until when. Due times are by the database's clock.

Whoever works on a timer has claimed it: its `next_at` is moved into the future, and every later write of the claimer is
conditional on that very time. A touch, or another claim after the time has passed, moves it again: the claimer then
writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from revenueflow.db.direct import Connection
from revenueflow.db.jobs import Lease
from revenueflow.db.models import sla_timers
from revenueflow.db.rows import encoded, recordset
from revenueflow.db.session import Session
from revenueflow.domain.sales import Timer

_GIVEN = ("lead_id", *Timer._fields)
_LISTED = ", ".join(_GIVEN)
_REPLACE = f"""
    UPDATE sla_timers old SET state = 'replaced', ended_at = now(), next_at = NULL
    FROM {recordset(sla_timers, _GIVEN)} JOIN leads ON leads.id = new.lead_id
    WHERE old.lead_id = new.lead_id AND old.state IN ('open', 'overdue')
      AND (old.tier <> new.tier OR (old.owner_id <> new.owner_id AND leads.owner_id IS DISTINCT FROM old.owner_id))
"""  # noqa: S608 constants
_NUMBER = "coalesce((SELECT max(number) FROM sla_timers t WHERE t.lead_id = new.lead_id), 0) + 1"
_BEGIN = f"""
    INSERT INTO sla_timers ({_LISTED}, given, number, next_at)
    SELECT {", ".join(f"new.{name}" for name in _GIVEN)}, 'routed', {_NUMBER},
           CASE WHEN leads.owner_id = new.owner_id THEN coalesce(new.remind_at, new.due_at)
                ELSE now() + interval '10 seconds' END
    FROM {recordset(sla_timers, _GIVEN)} JOIN leads ON leads.id = new.lead_id
    WHERE leads.first_touch_at IS NULL AND leads.erased_at IS NULL AND leads.stage IS DISTINCT FROM 'lost'
      AND NOT EXISTS (SELECT FROM sla_timers t WHERE t.lead_id = new.lead_id AND t.state IN ('open', 'overdue'))
"""  # noqa: S608 constants

_CLAIM = text("""
    UPDATE sla_timers SET next_at = now() + make_interval(secs => :hold)
    WHERE id IN (SELECT id FROM sla_timers WHERE next_at <= now() ORDER BY next_at LIMIT :limit FOR UPDATE SKIP LOCKED)
      AND NOT EXISTS (SELECT FROM controls WHERE name = 'paused')
    RETURNING *, now() AS now
""")
_ABOUT = text("""
    SELECT id, company, domain, country, tier, score, owner_id, facts, stage, crm_id, received_at, first_touch_at,
           erased_at, clock_timestamp() AS now
    FROM leads WHERE id = :lead_id
""")
_CHECKPOINTS = text("""
    SELECT DISTINCT ON (s.name) s.name, s.output FROM steps s JOIN jobs j ON j.id = s.job_id
    WHERE j.lead_id = :lead_id AND s.name IN ('capture', 'score') ORDER BY s.name, j.run_version DESC
""")
_RUNNING = text("SELECT * FROM sla_timers WHERE lead_id = :lead_id AND state IN ('open', 'overdue') FOR UPDATE")
_LOCKED = text("SELECT first_touch_at, stage, erased_at, owner_id FROM leads WHERE id = :lead_id FOR UPDATE")
_OF_LEAD = text("SELECT * FROM sla_timers WHERE lead_id = :lead_id ORDER BY number")
_TOUCHED = text("""
    UPDATE sla_timers SET state = :state, ended_at = now(), next_at = now()
    WHERE lead_id = :lead_id AND state IN ('open', 'overdue') RETURNING number, tier, owner_id, breached_at
""")
_CHANGE = "UPDATE sla_timers SET {} WHERE id = :id AND next_at = :next_at"
_REMINDED = text(_CHANGE.format("reminded_at = now(), reminder = :reminder, next_at = due_at") + " AND state = 'open'")
_LATER = text(_CHANGE.format("next_at = least(now() + make_interval(secs => :after), :latest)"))
_SETTLED = text(_CHANGE.format("next_at = NULL"))
_WRITTEN = text(
    _CHANGE.format("""written = :written, next_at = CASE state WHEN 'open' THEN coalesce(remind_at, due_at)
        WHEN 'touched' THEN now() END""")
)
_OVERDUE = text(_CHANGE.format("state = 'overdue', breached_at = now(), next_at = NULL") + " AND state = 'open'")
_PASSED = text(
    _CHANGE.format("state = 'passed', breached_at = now(), ended_at = now(), next_at = NULL") + " AND state = 'open'"
)
_CLOSED = text(
    _CHANGE.format("state = 'closed', ended_at = now(), next_at = NULL") + " AND state IN ('open', 'overdue')"
)
_REPLACED = text(
    _CHANGE.replace("AND next_at = :next_at", "AND next_at IS NOT DISTINCT FROM :next_at").format(
        "state = 'replaced', ended_at = now(), next_at = NULL"
    )
    + " AND state IN ('open', 'overdue')"
)
_NEXT = text(f"""
    INSERT INTO sla_timers ({_LISTED}, given, number, crm_status, next_at)
    VALUES (:lead_id, :tier, :owner_id, :owner_name, :reason, :rules, :started_at, :remind_at, :due_at, :given,
            (SELECT max(number) FROM sla_timers WHERE lead_id = :lead_id) + 1,
            (SELECT crm_status FROM sla_timers WHERE lead_id = :lead_id ORDER BY number DESC LIMIT 1), :next_at)
    RETURNING number
""")  # noqa: S608 constants
_LATE = text("SELECT extract(epoch FROM now() - min(next_at)) FROM sla_timers WHERE next_at <= now()")
_WAITING = text("SELECT tier, count(*) AS n FROM sla_timers WHERE state = 'overdue' GROUP BY tier")


async def begin(connection: Connection, given: Sequence[tuple[Lease, Timer]]) -> None:
    """Starts the timers of leads that a run has given to somebody, in the transaction that ends the run.

    A timer that runs for the same owner and tier goes on; a lead that was touched, lost or erased gets none. If the
    lead is somebody else's by now, such as when the rep of the run was removed meanwhile, the timer is due as
    soon as all processes know the reps: that one's time begins (`replace`).
    """
    if given:
        if again := [one for one in given if one[0].run_version > 1]:
            await connection.execute(_REPLACE, _rows(again))
        await connection.execute(_BEGIN, _rows(given))


def _rows(given: Sequence[tuple[Lease, Timer]]) -> str:
    return encoded([{"lead_id": lease.lead_id, **timer._asdict()} for lease, timer in given])


async def claim(session: Session, *, limit: int, hold: float) -> list[dict[str, Any]]:
    """Takes up to `limit` timers that are due, for `hold` seconds: all columns, and the database's `now`.

    None while everything is paused.
    """
    return [dict(row) for row in (await session.execute(_CLAIM, {"limit": limit, "hold": hold})).mappings()]


async def about(session: Session, lead_id: UUID) -> dict[str, Any] | None:
    """What of the lead a reminder, the choice of the next rep and a look into the CRM need; `now` is the database's."""
    found = (await session.execute(_ABOUT, {"lead_id": lead_id})).mappings().first()
    return dict(found) if found else None


async def checkpoints(session: Session, lead_id: UUID) -> dict[str, Any]:
    """What the newest `capture` and `score` of a lead came to, by the step's name."""
    return {row.name: row.output for row in await session.execute(_CHECKPOINTS, {"lead_id": lead_id})}


async def of_lead(session: Session, lead_id: UUID) -> list[dict[str, Any]]:
    """All timers of a lead, in order."""
    return [dict(row) for row in (await session.execute(_OF_LEAD, {"lead_id": lead_id})).mappings()]


async def running(session: Session, lead_id: UUID) -> dict[str, Any] | None:
    """The timer of a lead that is open or overdue, which nobody else changes until the transaction ends."""
    found = (await session.execute(_RUNNING, {"lead_id": lead_id})).mappings().first()
    return dict(found) if found else None


async def locked(session: Session, lead_id: UUID) -> dict[str, Any] | None:
    """first_touch_at, stage, erased_at and owner_id of a lead that nobody else changes until the transaction ends."""
    found = (await session.execute(_LOCKED, {"lead_id": lead_id})).mappings().first()
    return dict(found) if found else None


async def end(session: Session, lead_id: UUID, state: str) -> dict[str, Any] | None:
    """Ends the running timer of a lead as `touched` or `closed`; its number, tier, owner_id and breached_at."""
    found = (await session.execute(_TOUCHED, {"lead_id": lead_id, "state": state})).mappings().first()
    return dict(found) if found else None


async def reminded(session: Session, timer: Mapping[str, Any], reminder: str) -> bool:
    """The owner was reminded, or that came to something else. False if the timer is not ours any more."""
    return await _changed(session, _REMINDED, timer, reminder=reminder)


async def later(session: Session, timer: Mapping[str, Any], after: float, *, latest: datetime | None = None) -> None:
    """Look again after so many seconds, and not after `latest`."""
    await _changed(session, _LATER, timer, after=after, latest=latest)


async def settled(session: Session, timer: Mapping[str, Any]) -> bool:
    """There is nothing left to do. False if the timer is not ours any more."""
    return await _changed(session, _SETTLED, timer)


async def written(session: Session, timer: Mapping[str, Any], status: str) -> bool:
    """The CRM knows the owner, or won't. False if the timer is not ours any more."""
    return await _changed(session, _WRITTEN, timer, written=status)


async def overdue(session: Session, timer: Mapping[str, Any]) -> bool:
    """The time is over, and the lead stays where it is. False if the timer is not ours any more."""
    return await _changed(session, _OVERDUE, timer)


async def closed(session: Session, timer: Mapping[str, Any]) -> bool:
    """Nobody needs to touch the lead any more. False if the timer is not ours any more, or had ended."""
    return await _changed(session, _CLOSED, timer)


async def pass_on(session: Session, timer: Mapping[str, Any], following: Timer) -> int | None:
    """The time is over, and somebody else has it: the number of the new timer, None if this is not ours any more."""
    if not await _changed(session, _PASSED, timer):
        return None
    return await _next(session, timer, following, "passed_on", following.started_at)


async def replace(session: Session, timer: Mapping[str, Any], following: Timer) -> None:
    """Somebody has given the lead to another owner meanwhile: that one's time begins."""
    if await _changed(session, _REPLACED, timer):
        await _next(session, timer, following, "routed", following.remind_at or following.due_at)


async def _next(session: Session, timer: Mapping[str, Any], following: Timer, given: str, next_at: datetime) -> int:
    values = {"lead_id": timer["lead_id"], **following._asdict(), "tier": following.tier.value}
    number: int = (await session.execute(_NEXT, {**values, "given": given, "next_at": next_at})).scalar_one()
    return number


async def waiting(session: Session) -> dict[str, int]:
    """Leads whose time is over and that nobody has touched, by tier."""
    return {row.tier: row.n for row in await session.execute(_WAITING)}


async def late(session: Session) -> float:
    """Seconds for which the oldest timer has been due that nobody has looked at; 0 if there is none."""
    return float((await session.execute(_LATE)).scalar() or 0)


async def _changed(session: Session, statement: Any, timer: Mapping[str, Any], **values: object) -> bool:
    result = await session.execute(statement, {"id": timer["id"], "next_at": timer["next_at"], **values})
    return bool(result.rowcount == 1)
