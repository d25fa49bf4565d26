"""Queries on turns: a rotation changes, and a lead gets its turn, in one transaction or not at all."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NamedTuple
from uuid import UUID

from revenueflow.db.direct import Connection

_BEGIN = "INSERT INTO rotations (pool) VALUES ($1) ON CONFLICT DO NOTHING"
_LOCK = "SELECT state FROM rotations WHERE pool = $1 FOR UPDATE"
_TAKEN = "SELECT rep_id, number FROM turns WHERE pool = $1 AND lead_id = $2"
_TURN = """
    WITH turned AS (UPDATE rotations SET state = $2::jsonb, updated_at = now() WHERE pool = $1)
    INSERT INTO turns (pool, lead_id, rep_id, number) VALUES ($1, $3, $4, $5)
    ON CONFLICT (pool, lead_id) DO UPDATE SET rep_id = excluded.rep_id, number = excluded.number, taken_at = now()
"""
_SITUATION = """
    SELECT (
        SELECT owner_id FROM leads
        WHERE domain = $1 AND id <> $2 AND owner_id IS NOT NULL AND owner_id <> $3 AND erased_at IS NULL
        ORDER BY received_at DESC LIMIT 1
    ) AS company_owner, (
        SELECT owner_id FROM leads WHERE id = $2 AND (routing_rule LIKE $5 || '%' OR routing_rule = 'existing:' || $5)
    ) AS moved_to, (
        SELECT jsonb_object_agg(owner_id, open) FROM (
            SELECT owner_id, count(*) AS open FROM leads
            WHERE owner_id = ANY($4::text[]) AND first_touch_at IS NULL AND erased_at IS NULL AND id <> $2
            GROUP BY owner_id
        ) AS counted
    ) AS open_leads
"""
_STATES = "SELECT pool, state FROM rotations"


_COMPANY = """
    SELECT turns.rep_id FROM leads JOIN turns ON turns.lead_id = leads.id AND turns.pool = $1
    WHERE leads.domain = $2 AND leads.erased_at IS NULL ORDER BY turns.number DESC LIMIT 1
"""


class Chosen(NamedTuple):
    """Whose turn it is, its number in the rotation, and the state of the rotation after it, as JSON."""

    rep_id: str
    number: int
    state: str


class Known(NamedTuple):
    """Who owns the company's last lead, whom this one was given to, and the open leads of reps (JSON, or None)."""

    company_owner: str | None
    moved_to: str | None
    open_leads: str | None


async def take(
    connection: Connection,
    pool: str,
    lead_id: UUID,
    allowed: Collection[str],
    choose: Callable[[str], Chosen],
    *,
    domain: str | None = None,
) -> str:
    """The rep whose turn it is for this lead; `choose` gets the state of the rotation as JSON. In a transaction.

    A lead that had its turn in this pool keeps its rep while that one is allowed: routing it again takes no other turn.
    Nor does one of a company (`domain`) of which another lead has just had its turn: it goes to the same rep. Turns of
    one pool are taken one after the other, whichever process takes them.
    """
    await connection.execute(_BEGIN, pool)
    state = await connection.fetchval(_LOCK, pool)
    taken = await connection.fetchrow(_TAKEN, pool, lead_id)
    if taken and taken["rep_id"] in allowed:
        return str(taken["rep_id"])
    company = await connection.fetchval(_COMPANY, pool, domain) if domain else None
    if company in allowed:
        return str(company)
    chosen = choose(state)
    await connection.execute(_TURN, pool, chosen.state, lead_id, chosen.rep_id, chosen.number)
    return chosen.rep_id


async def situation(
    connection: Connection, lead_id: UUID, domain: str | None, queue: str, counted: Collection[str], moved: str
) -> Known:
    """What leads tell about this one's company, and about the reps in `counted`. The `queue` owns no company.

    `moved` is what the rule of a lead begins with that was given to somebody.
    """
    row: Any = await connection.fetchrow(_SITUATION, domain, lead_id, queue, list(counted), moved)
    return Known(row["company_owner"], row["moved_to"], row["open_leads"])


async def states(connection: Connection) -> dict[str, str]:
    """The state of every rotation, as JSON, by its pool."""
    return {row["pool"]: row["state"] for row in await connection.fetch(_STATES)}
