"""Queries that erase a person: the statements are made from the data map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from revenueflow.db import analyses
from revenueflow.db.direct import Connection
from revenueflow.privacy.data_map import MAP, Held

LOOKUP = "lookup:"


class Known(NamedTuple):
    """What is stored of one identity in one campaign; from its deliveries, if capture has not made the lead yet."""

    lead_id: UUID
    identity_key: str
    email: str | None
    phone: str | None
    name: str | None
    linkedin: str | None


class Copy(NamedTuple):
    """A record outside that was, or may have been, written. `crm_id` is None while nobody knows."""

    object_type: str
    crm_id: str | None
    record_key: UUID
    state: str


_OF_LEAD = """
    SELECT identity_key FROM leads WHERE id = $1
    UNION SELECT identity_key FROM deliveries WHERE lead_id = $1 AND identity_key IS NOT NULL
"""
_KNOWN = """
    SELECT id AS lead_id, identity_key, email, coalesce(phone, form ->> 'phone') AS phone, name,
        form ->> 'linkedin_url' AS linkedin
    FROM leads WHERE identity_key = ANY($1::text[]) OR email = ANY($2::text[])
    UNION
    SELECT lead_id, identity_key, parsed #>> '{form,email}', parsed #>> '{form,phone}', parsed #>> '{form,name}',
        parsed #>> '{form,linkedin_url}'
    FROM deliveries WHERE identity_key = ANY($1::text[]) AND lead_id IS NOT NULL
"""
_NOTE = """
    INSERT INTO erasures (key, erased_at, reason, erased_by)
    SELECT key, clock_timestamp(), $2, $3 FROM unnest($1::text[]) AS key ORDER BY key
    ON CONFLICT (key) DO UPDATE SET erased_at = clock_timestamp(), reopened_at = NULL, reason = excluded.reason,
        erased_by = excluded.erased_by
"""
# Runs first, then leads: the order of the runner. What a run holds is void from the commit on: its token is another.
_END = """
    WITH live AS (
        SELECT id FROM jobs WHERE lead_id = ANY($1::uuid[]) AND state IN ('ready', 'leased', 'parked')
        ORDER BY lead_id FOR UPDATE
    )
    UPDATE jobs SET state = 'done', lease_until = NULL, lease_token = lease_token + 1, wanted_version = run_version,
        error_class = 'erased', last_error = 'erased', finished_at = now()
    FROM live WHERE jobs.id = live.id
"""
# A lead that was not captured yet gets its row all the same: nothing can be written to it any more.
_BURY = """
    INSERT INTO leads (id, campaign_id, identity_key, version, status, received_at, erased_at)
    SELECT DISTINCT ON (lead_id) lead_id, parsed ->> 'campaign_id', identity_key, 0, 'erased', received_at, now()
    FROM deliveries JOIN erasures ON key = identity_key AND reopened_at IS NULL
    WHERE lead_id = ANY($1::uuid[]) AND parsed IS NOT NULL ORDER BY lead_id, received_at
    ON CONFLICT (id) DO NOTHING
"""
_CLOSE = """
    UPDATE leads SET status = 'erased', erased_at = coalesce(erased_at, now()), reanalyse_at = NULL
    WHERE id = ANY($1::uuid[]) AND (erased_at IS NULL OR status <> 'erased')
"""
# A reader that holds its snapshot for long writes nothing; our writers are short.
_OLDER = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start <= $1
      AND (backend_xid IS NOT NULL OR xact_start > clock_timestamp() - interval '15 seconds')
"""
_WITHDRAW = """
    UPDATE actions SET state = 'superseded', error = 'erased', settled_at = now()
    WHERE lead_id = ANY($1::uuid[]) AND state = 'planned'
"""
_CLOSE_REVIEWS = """
    UPDATE reviews SET state = 'superseded', closed_at = now() WHERE lead_id = ANY($1::uuid[]) AND state = 'open'
"""
_CLOSE_APPROVALS = """
    UPDATE approvals SET state = 'withdrawn' WHERE lead_id = ANY($1::uuid[]) AND state IN ('pending', 'approved')
"""
# Of a question that is under way the row stays, for what is reserved for it; its answer will not be kept.
_LOOKUPS_IDLE = "DELETE FROM lookups WHERE key_hmac = ANY($1::bytea[]) AND state = 'idle'"
_LOOKUPS_OPEN = """
    UPDATE lookups SET findings = NULL, answered_at = NULL, handle = NULL
    WHERE key_hmac = ANY($1::bytea[]) AND (findings IS NOT NULL OR handle IS NOT NULL)
"""
_COPIES = """
    SELECT DISTINCT ON (object_type, record_key) object_type, crm_id, record_key, state FROM actions
    WHERE lead_id = ANY($1::uuid[]) AND state IN ('sent', 'unknown', 'confirmed')
    ORDER BY object_type, record_key, crm_id NULLS LAST
"""
_HOLD = "SELECT id FROM jobs WHERE lead_id = $1 AND state IN ('ready', 'leased', 'parked') FOR UPDATE"
_LATE = """
    SELECT EXISTS (SELECT FROM deliveries WHERE lead_id = $1 AND parsed IS NOT NULL)
        OR NOT EXISTS (SELECT FROM leads WHERE id = $1 AND erased_at IS NOT NULL)
"""
_KEYS = "SELECT key, erased_at FROM erasures WHERE key = ANY($1::text[])"
_REOPEN = """
    UPDATE erasures SET reopened_at = now() WHERE key = ANY($1::text[]) AND reopened_at IS NULL
"""
_REOPEN_LEADS = """
    UPDATE leads SET status = 'accepted', erased_at = NULL, updated_at = now()
    WHERE identity_key = ANY($1::text[]) AND erased_at IS NOT NULL RETURNING id
"""
_WAITING = """
    SELECT DISTINCT j.id FROM jobs j JOIN deliveries d ON d.lead_id = j.lead_id
    WHERE d.identity_key = ANY($1::text[]) AND j.state = 'parked' AND j.step = 'capture'
"""


def statement(table: str, held: Held) -> str:
    """What erases a person's rows in a table, once: a second time it finds nothing that is still there."""
    if held.removed:
        return f"DELETE FROM {table} WHERE {held.rows}"  # noqa: S608 constants
    fresh = ", ".join(f"{column} = {value}" for column, value in held.personal.items())
    left = " OR ".join(f"{column} IS DISTINCT FROM {value}" for column, value in held.personal.items())
    return f"UPDATE {table} SET {fresh} WHERE {held.rows} AND {held.only} AND ({left})"  # noqa: S608 constants


_STATEMENTS = {table: statement(table, held) for table, held in MAP.items() if held.personal and held.rows}


async def identities_of(connection: Connection, lead_id: UUID) -> list[str]:
    """The identity keys of a lead; none for one that we don't have."""
    return [row[0] for row in await connection.fetch(_OF_LEAD, lead_id)]


async def known(connection: Connection, identities: Sequence[str], emails: Sequence[str]) -> list[Known]:
    """What is stored of these identities, in every campaign, and of leads with these addresses."""
    return [Known(**row) for row in await connection.fetch(_KNOWN, identities, emails)]


async def close(
    connection: Connection, keys: Sequence[str], leads: Sequence[UUID], *, reason: str, actor: str
) -> tuple[int, datetime]:
    """From the commit on nothing is written about these leads any more; how many runs it ended, and the time."""
    # In this order: what was wanted of a run that ends here was received before the time that is noted.
    ended = _count(await connection.execute(_END, leads))
    await connection.execute(_NOTE, keys, reason, actor)
    await connection.execute(_BURY, leads)
    await connection.execute(_CLOSE, leads)
    return ended, await connection.fetchval("SELECT clock_timestamp()")


async def is_settled(connection: Connection, since: datetime) -> bool:
    """Whether every transaction that may not have seen what was committed at `since` has ended."""
    older: int = await connection.fetchval(_OLDER, since)
    return older == 0


async def clear(connection: Connection, leads: Sequence[UUID], lookups: Sequence[bytes]) -> dict[str, int]:
    """Erases what every table of the data map holds of these leads; rows that changed, by table."""
    await connection.execute(_WITHDRAW, leads)
    await connection.execute(_CLOSE_REVIEWS, leads)
    await connection.execute(_CLOSE_APPROVALS, leads)
    done = {table: _count(await connection.execute(query, leads)) for table, query in _STATEMENTS.items()}
    done["analyses"] = await analyses.forget(connection, leads)
    done["lookups"] = sum(
        [_count(await connection.execute(query, lookups)) for query in (_LOOKUPS_IDLE, _LOOKUPS_OPEN)]
    )
    return done


async def copies(connection: Connection, leads: Sequence[UUID]) -> list[Copy]:
    """The records outside that were, or may have been, written about these leads."""
    return [Copy(**row) for row in await connection.fetch(_COPIES, leads)]


async def late(connection: Connection, lead_id: UUID) -> bool:
    """Erases deliveries that were stored while their person was erased, and ends the run that they called for.

    False, and the run goes on, if there are later deliveries of the person too, or it is not erased any more.
    """
    await connection.execute(_HOLD, lead_id)
    await connection.execute(_BURY, [lead_id])
    await connection.execute(_STATEMENTS["deliveries"], [lead_id])
    if await connection.fetchval(_LATE, lead_id):
        return False
    return _count(await connection.execute(_END, [lead_id])) > 0


async def erased_at(connection: Connection, keys: Sequence[str]) -> dict[str, datetime]:
    """Those of the keys under which somebody was erased, and when that was last."""
    found = await connection.fetch(_KEYS, keys) if keys else []
    return {row["key"]: row["erased_at"] for row in found}


async def reopen(connection: Connection, keys: Sequence[str]) -> list[UUID]:
    """What was received after the erasure may be processed; returns the runs that wait for that."""
    await connection.execute(_REOPEN, keys)
    await connection.execute(_REOPEN_LEADS, keys)
    return [row[0] for row in await connection.fetch(_WAITING, keys)]


def lookup_key(digest: bytes) -> str:
    """Under which key the questions about an address are noted as erased."""
    return LOOKUP + digest.hex()


def _count(told: str) -> int:
    return int(told.rpartition(" ")[2])


def counts(done: Mapping[str, int]) -> dict[str, int]:
    """Those that are not nothing."""
    return {name: count for name, count in done.items() if count}
