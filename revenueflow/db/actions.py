"""Queries on actions: every change of state of an intended write. Only the guard and the reconciler call them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Uuid, bindparam, select, text

from revenueflow.db.controls import WRITES_STOPPED
from revenueflow.db.direct import Connection
from revenueflow.db.models import actions
from revenueflow.db.rows import encoded
from revenueflow.db.session import Session

AuditRow: TypeAlias = dict[str, Any]
"""An event as `trail.row` makes it."""


class PlannedAction(NamedTuple):
    """A write that is about to be made, under the lease with `token` if there is one."""

    action_key: UUID
    record_key: UUID
    object_type: str
    tool: str
    run_version: int
    caller: str
    args: dict[str, Any]
    args_hmac: bytes
    job_id: UUID | None
    lead_id: UUID
    token: int | None = None


class Sending(NamedTuple):
    """A write that is about to be sent, for the time after `tries`, under a lease if there is one."""

    key: UUID
    tries: int
    job_id: UUID | None
    token: int | None


class Settled(NamedTuple):
    """What became of a write; `result` is JSON."""

    key: UUID
    state: str
    crm_id: str | None = None
    result: str | None = None
    error: str | None = None


class LeadLimit(NamedTuple):
    """At most `calls` writes for one lead, each try counted, in any `seconds`."""

    calls: int = 10
    seconds: float = 60.0


USUAL_LIMIT = LeadLimit()

# What makes a write outdated: a later run of the pipeline wrote, or anybody else did after it was sent.
_NEWER_EXISTS = """EXISTS (
    SELECT FROM actions newer
    WHERE newer.record_key = mine.record_key AND newer.tool = mine.tool AND newer.action_key <> mine.action_key
      AND newer.state IN ('sent', 'unknown', 'confirmed')
      AND CASE WHEN mine.caller = 'pipeline' AND newer.caller = 'pipeline' THEN newer.run_version > mine.run_version
               ELSE newer.sent_at > coalesce(mine.sent_at, mine.planned_at) END)"""

# Nothing more is sent, or kept, about somebody who was erased.
_ERASED = "EXISTS (SELECT FROM leads WHERE leads.id = mine.lead_id AND erased_at IS NOT NULL)"

# The lease is checked in the transaction that marks the write as sent: a worker that lost it sends nothing. A scalar
# query, not EXISTS, which may be answered by reading all leases into a hash table.
_MAY_BE_SENT = f"""(
    (mine.job_id IS NULL OR coalesce(
        (SELECT lease_token = mine.token AND lease_until IS NOT NULL FROM jobs WHERE id = mine.job_id), false))
    AND NOT {_NEWER_EXISTS} AND NOT {_ERASED})"""  # noqa: S608 constants

_PLANNED = ", ".join(PlannedAction._fields[:-1])
# Nothing stands between the intention and the write: one commit stores both. A lead's limit is counted here too, under
# a lock on the lead (see `lead_sends`): it holds whatever Redis has forgotten. Of several runs of one lead in a batch
# none sees the rows of the others, so the arrays are compared too.
_PLAN = f"""
    WITH new AS (
        SELECT *, NULL::timestamptz AS sent_at, now() AS planned_at
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[], $8::bytea[],
                    $9::uuid[], $10::uuid[], $11::bigint[], $12::text[]) AS one({_PLANNED}, token, event)
    ), busy AS MATERIALIZED (
        SELECT lead_id, lead_sends(lead_id, $14) AS sends FROM (SELECT DISTINCT lead_id FROM new ORDER BY 1) AS leads
    ), meant AS (
        SELECT mine.*, {_MAY_BE_SENT} AND NOT EXISTS (
            SELECT FROM new other WHERE other.record_key = mine.record_key AND other.tool = mine.tool
                                    AND other.run_version > mine.run_version) AS may, {_ERASED} AS erased,
            sends + row_number() OVER (PARTITION BY mine.lead_id) <= $13 AS room
        FROM new mine JOIN busy ON busy.lead_id = mine.lead_id
    ), stored AS (
        INSERT INTO actions ({_PLANNED}, state, sent_at, lease_token, tries)
        SELECT action_key, record_key, object_type, tool, run_version, caller,
            CASE WHEN erased THEN '{{}}' ELSE args::jsonb END, args_hmac, job_id, lead_id,
            CASE WHEN may THEN 'sent' WHEN erased THEN 'superseded' ELSE 'planned' END,
            CASE WHEN may THEN now() END, CASE WHEN may THEN token END,
            may::int
        FROM meant WHERE room
        ON CONFLICT DO NOTHING RETURNING action_key, state
    )
    SELECT coalesce(array_agg(action_key) FILTER (WHERE stored.state = 'sent'), '{{}}'),
        audit_append(coalesce(jsonb_agg(event::jsonb), '[]'))
    FROM stored JOIN new USING (action_key)
"""  # noqa: S608 constants
_SUPERSEDE = """
    UPDATE actions older SET state = 'superseded', settled_at = now()
    FROM unnest($1::uuid[], $2::text[], $3::int[]) AS new(record_key, tool, run_version)
    WHERE older.record_key = new.record_key AND older.tool = new.tool AND older.run_version < new.run_version
      AND older.state = 'planned'
    RETURNING older.action_key, older.record_key
"""
_SEND = f"""
    WITH wanted AS (SELECT action_key, lead_id FROM actions WHERE action_key = ANY($1::uuid[])),
    busy AS MATERIALIZED (
        SELECT lead_id, lead_sends(lead_id, $6) AS sends FROM (SELECT DISTINCT lead_id FROM wanted ORDER BY 1) AS leads
    ), room AS MATERIALIZED (
        SELECT action_key, sends + row_number() OVER (PARTITION BY wanted.lead_id) <= $5 AS there
        FROM wanted JOIN busy ON busy.lead_id = wanted.lead_id
    )
    UPDATE actions SET state = 'sent', sent_at = now(), lease_token = new.token, tries = new.tries + 1, absent_at = NULL
    FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::bigint[]) AS new(key, tries, job_id, token)
    WHERE action_key = new.key AND state IN ('planned', 'unknown', 'sent') AND actions.tries = new.tries
      AND (SELECT there FROM room WHERE room.action_key = new.key) AND (
        SELECT {_MAY_BE_SENT}
        FROM (SELECT actions.action_key, record_key, tool, caller, run_version, sent_at, planned_at, new.job_id,
                     new.token, actions.lead_id) AS mine)
    RETURNING action_key
"""  # noqa: S608 constants
# When enough of the writes of the last seconds will have left the window.
_LEAD_PAUSE = text("""
    SELECT extract(epoch FROM max(sent_at) - now()) + :seconds FROM (
        SELECT sent_at, sum(greatest(tries, 1)) OVER (ORDER BY sent_at DESC) AS sends FROM actions
        WHERE lead_id = :lead AND sent_at > now() - make_interval(secs => :seconds)) AS lately
    WHERE sends >= :calls
""")
_KNOWN = f"""
    SELECT actions.*, stopped
    FROM (SELECT EXISTS (SELECT FROM controls WHERE name = '{WRITES_STOPPED}') AS stopped) AS now
    LEFT JOIN actions ON action_key = ANY($1::uuid[])
"""  # noqa: S608 a constant
_OUTDATED = text(f"SELECT {_NEWER_EXISTS} OR {_ERASED} FROM actions mine WHERE action_key = :key")  # noqa: S608 a constant

_SETTLE = """
    WITH new AS (
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
            AS one(key, state, crm_id, result, error, event)
    ), ended AS (
        UPDATE actions SET state = new.state, settled_at = now(), crm_id = coalesce(new.crm_id, actions.crm_id),
            result = coalesce(new.result::jsonb, actions.result), error = new.error
        FROM new WHERE action_key = new.key AND actions.state IN ('planned', 'sent', 'unknown')
        RETURNING action_key
    )
    SELECT coalesce(array_agg(key), '{}'), audit_append(coalesce(jsonb_agg(event::jsonb), '[]'))
    FROM ended JOIN new ON key = action_key
"""

_BACK_TO_PLANNED = text(
    "UPDATE actions SET state = 'planned', error = :error WHERE action_key = :key AND state = 'sent'"
)
_REPLACE_ARGS = text(f"""
    UPDATE actions mine SET args = CAST(:args AS jsonb), args_hmac = :args_hmac
    WHERE action_key = :key AND state = 'planned' AND NOT {_ERASED}
""")  # noqa: S608 constants
_PLAN_AGAIN = text("""
    UPDATE actions SET state = 'planned', error = NULL, absent_at = NULL, settled_at = NULL
    WHERE job_id = ANY(:jobs) AND state = 'failed' RETURNING action_key, tool, lead_id, job_id
""").bindparams(bindparam("jobs", type_=ARRAY(Uuid)))


async def plan(
    connection: Connection, planned: Sequence[tuple[PlannedAction, AuditRow]], limit: LeadLimit = USUAL_LIMIT
) -> set[UUID]:
    """Stores actions, each key once, with the audit event of each that did not exist yet; all by one statement.

    They are marked as sent at once; returns the keys of those. Others existed already, or may not be sent (see `send`)
    and stay planned; of a lead that is over its limit none is stored.
    """
    rows = [
        (*(action._asdict() | {"args": encoded(action.args)}).values(), encoded(event)) for action, event in planned
    ]
    return set((await connection.fetchrow(_PLAN, *zip(*rows, strict=True), *limit))[0])


async def supersede(connection: Connection, planned: Sequence[PlannedAction]) -> list[tuple[UUID, UUID]]:
    """Ends older writes of the same kinds to the same records that were never sent; returns (action, record) keys."""
    columns = ([getattr(one, name) for one in planned] for name in ("record_key", "tool", "run_version"))
    return [tuple(row) for row in await connection.fetch(_SUPERSEDE, *columns)]


async def send(connection: Connection, sending: Sequence[Sending], limit: LeadLimit = USUAL_LIMIT) -> set[UUID]:
    """Marks actions as sent, before the sockets are written; returns the keys of those that may be sent.

    Not so if the lease is lost, it is settled or outdated, somebody else has sent it meanwhile, or its lead is over
    its limit.
    """
    return {row[0] for row in await connection.fetch(_SEND, *zip(*sending, strict=True), *limit)}


async def lead_pause(session: Session, lead_id: UUID, limit: LeadLimit) -> float | None:
    """Seconds until the limit of a lead lets another write pass; None if it does."""
    values = {"lead": lead_id, "seconds": limit.seconds, "calls": limit.calls}
    found = (await session.execute(_LEAD_PAUSE, values)).scalar()
    return None if found is None else max(0.05, float(found))


async def settle(connection: Connection, settled: Sequence[tuple[Settled, AuditRow]]) -> set[UUID]:
    """Ends actions, each key once, as confirmed, failed or superseded, with the audit event that says so.

    Returns the keys of those that had not ended before.
    """
    rows = [(*one, encoded(event)) for one, event in settled]
    return set((await connection.fetchrow(_SETTLE, *zip(*rows, strict=True)))[0])


async def known(connection: Connection, keys: Sequence[UUID]) -> tuple[dict[UUID, dict[str, Any]], bool]:
    """As `by_keys`, and whether writes are stopped now: one statement, for every call asks both."""
    found = await connection.fetch(_KNOWN, keys)
    return {row["action_key"]: _decoded(row) for row in found if row["action_key"]}, found[0]["stopped"]


async def by_keys(connection: Connection, keys: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """All columns of the actions that exist, by their key."""
    found = await connection.fetch("SELECT * FROM actions WHERE action_key = ANY($1::uuid[])", keys) if keys else []
    return {row["action_key"]: _decoded(row) for row in found}


def _decoded(row: Mapping[str, Any]) -> dict[str, Any]:
    result = row["result"]
    return {**row, "args": orjson.loads(row["args"]), "result": None if result is None else orjson.loads(result)}


async def get(session: Session, key: UUID) -> dict[str, Any] | None:
    """All columns of an action."""
    found = (await session.execute(select(actions).where(actions.c.action_key == key))).mappings().first()
    return dict(found) if found else None


async def not_executed(session: Session, key: UUID, error: str) -> bool:
    """The write was clearly not executed: it is planned again. False if it was settled meanwhile."""
    return (await session.execute(_BACK_TO_PLANNED, {"key": key, "error": error})).rowcount == 1


async def is_outdated(session: Session, key: UUID) -> bool:
    """True if a later version, a person or an agent wrote the same after this write, or the lead was erased."""
    return bool((await session.execute(_OUTDATED, {"key": key})).scalar())


async def replace_args(session: Session, action: PlannedAction) -> bool:
    """Other arguments for a write that was never executed; False if it is not `planned` (any more)."""
    values = {"key": action.action_key, "args": encoded(action.args), "args_hmac": action.args_hmac}
    return (await session.execute(_REPLACE_ARGS, values)).rowcount == 1


async def plan_again(session: Session, jobs: Sequence[UUID]) -> list[dict[str, Any]]:
    """Makes the failed writes of these jobs planned ones; returns their key, tool, lead_id and job_id."""
    return [dict(row) for row in (await session.execute(_PLAN_AGAIN, {"jobs": list(jobs)})).mappings()]
