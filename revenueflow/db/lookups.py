"""Queries on lookups: what providers have answered, and who is asking. All clocks are the database's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from revenueflow.db import spend
from revenueflow.db.direct import Connection
from revenueflow.db.spend import Change, Scope


class Place(NamedTuple):
    """One question: to whom, which, and the HMAC of what it is asked about."""

    provider: str
    lookup: str
    key_hmac: bytes


class Kept(NamedTuple):
    """What is known of a question. `findings` is JSON; `reserved_in` are the (scope, period)s that hold `reserved`."""

    place: Place
    state: str
    findings: str | None
    answered_at: datetime | None
    cost: Decimal
    paid_by: UUID | None
    ask_again_at: datetime | None
    reason: str | None
    handle: str | None
    token: int
    lease_until: datetime | None
    reserved: Decimal
    reserved_in: tuple[tuple[str, str], ...]


class Claim(NamedTuple):
    """A question that is going to be asked now, by us, with what is reserved for it."""

    place: Place
    seconds: float
    reserved: Decimal
    reserved_in: Sequence[tuple[str, str]]


class Settlement(NamedTuple):
    """How a question that we asked ended, if `token` is still ours.

    `state` is idle or pending; without `findings` the last ones stay. `reserved` is what stays reserved, `cost` what it
    cost the run `paid_by`, in US dollars; `reason` holds for `pause` seconds. `changes` are those of the scopes.
    """

    place: Place
    token: int
    state: str
    findings: str | None
    cost: Decimal
    paid_by: UUID | None
    pause: float | None
    reason: str | None
    handle: str | None
    reserved: Decimal
    changes: Sequence[tuple[Scope, Change]]


class Locked(NamedTuple):
    """Questions that are locked, the time, and whether the switch is on."""

    kept: dict[Place, Kept]
    now: datetime
    stopped: bool


_COLUMNS = """provider, lookup, key_hmac, state, findings::text AS findings, answered_at, cost_usd, paid_by,
    ask_again_at, reason, handle, token, lease_until, reserved_usd, reserved_in::text AS reserved_in"""
_NAMED = "unnest($1::text[], $2::text[], $3::bytea[]) AS named(provider, lookup, key_hmac)"
_READ = f"SELECT {_COLUMNS}, now() AS now FROM {_NAMED} JOIN lookups USING (provider, lookup, key_hmac)"  # noqa: S608
# Makes what is missing, locks all, and reads them. In the order of the key, as everybody does it: no two wait for each
# other in a circle.
_LOCK = f"""
    INSERT INTO lookups AS kept (provider, lookup, key_hmac) SELECT * FROM {_NAMED} ORDER BY 1, 2, 3
    ON CONFLICT (provider, lookup, key_hmac) DO UPDATE SET token = kept.token
    RETURNING {_COLUMNS}, now() AS now, EXISTS (SELECT FROM controls WHERE name = $4) AS stopped
"""  # noqa: S608 constants
_CLAIM = f"""
    WITH claimed AS (
        UPDATE lookups SET state = 'asking', token = token + 1, reserved_usd = new.reserved,
            lease_until = now() + make_interval(secs => new.seconds), reserved_in = new.reserved_in::jsonb
        FROM unnest($5::text[], $6::text[], $7::bytea[], $8::float8[], $9::numeric[], $10::text[])
            AS new(provider, lookup, key_hmac, seconds, reserved, reserved_in)
        WHERE lookups.provider = new.provider AND lookups.lookup = new.lookup AND lookups.key_hmac = new.key_hmac
    )
    {spend.CHANGE}
"""  # noqa: S608 constants
# What is settled of each scope counts only for questions that were still ours. An answer about somebody who was erased
# meanwhile is paid and not kept.
_SETTLE = """
    WITH settled AS (
        UPDATE lookups SET state = new.state, lease_until = NULL, handle = new.handle,
            findings = CASE WHEN erased.key IS NULL THEN coalesce(new.findings::jsonb, lookups.findings) END,
            answered_at = CASE WHEN erased.key IS NOT NULL THEN NULL
                               WHEN new.findings IS NULL THEN lookups.answered_at ELSE now() END,
            cost_usd = new.cost, paid_by = new.paid_by, reason = new.reason,
            ask_again_at = now() + make_interval(secs => new.pause), reserved_usd = new.reserved
        FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bigint[], $5::text[], $6::text[], $7::numeric[],
                    $8::uuid[], $9::float8[], $10::text[], $11::text[], $12::numeric[])
            AS new(provider, lookup, key_hmac, token, state, findings, cost, paid_by, pause, reason, handle, reserved)
        LEFT JOIN erasures erased ON erased.key = 'lookup:' || encode(new.key_hmac, 'hex') AND reopened_at IS NULL
        WHERE lookups.provider = new.provider AND lookups.lookup = new.lookup AND lookups.key_hmac = new.key_hmac
          AND lookups.token = new.token AND lookups.state = 'asking'
        RETURNING lookups.provider, lookups.lookup, lookups.key_hmac
    ), summed AS (
        SELECT more.scope, more.period, sum(more.reserved) AS reserved, sum(more.settled) AS settled
        FROM unnest($13::text[], $14::text[], $15::bytea[], $16::text[], $17::text[], $18::numeric[], $19::numeric[])
            AS more(provider, lookup, key_hmac, scope, period, reserved, settled)
        JOIN settled USING (provider, lookup, key_hmac) GROUP BY 1, 2
    ), locked AS (
        SELECT summed.* FROM summed JOIN spend USING (scope, period) ORDER BY scope, period FOR UPDATE OF spend
    ), changed AS (
        UPDATE spend SET reserved_usd = greatest(0, spend.reserved_usd + locked.reserved),
            settled_usd = spend.settled_usd + locked.settled, updated_at = now()
        FROM locked WHERE spend.scope = locked.scope AND spend.period = locked.period
    )
    SELECT *, now() AS now FROM settled
"""
# What nobody comes back for: a call of which nobody knows the end, and a pending one that has a handle, count as made;
# a pending one without, which the provider has not begun to charge for, is given back.
_TIDY = """
    WITH left_over AS (
        SELECT provider, lookup, key_hmac, reserved_usd, reserved_in, (state = 'asking' OR handle IS NOT NULL) AS made
        FROM lookups WHERE reserved_usd > 0 AND CASE state WHEN 'asking' THEN lease_until ELSE ask_again_at END
            < now() - make_interval(secs => $1) LIMIT 500 FOR UPDATE SKIP LOCKED
    ), ended AS (
        UPDATE lookups SET state = 'idle', lease_until = NULL, reserved_usd = 0, handle = NULL,
            token = lookups.token + 1
        FROM left_over WHERE (lookups.provider, lookups.lookup, lookups.key_hmac)
            = (left_over.provider, left_over.lookup, left_over.key_hmac)
    ), summed AS (
        SELECT one ->> 0 AS scope, one ->> 1 AS period, sum(reserved_usd) AS reserved,
            sum(CASE WHEN made THEN reserved_usd ELSE 0 END) AS settled
        FROM left_over CROSS JOIN jsonb_array_elements(reserved_in) AS one GROUP BY 1, 2
    ), locked AS (
        SELECT summed.* FROM summed JOIN spend USING (scope, period) ORDER BY scope, period FOR UPDATE OF spend
    ), changed AS (
        UPDATE spend SET reserved_usd = greatest(0, spend.reserved_usd - locked.reserved),
            settled_usd = spend.settled_usd + locked.settled, updated_at = now()
        FROM locked WHERE spend.scope = locked.scope AND spend.period = locked.period
    )
    SELECT count(*) FROM left_over
"""
_FORGET = "DELETE FROM lookups WHERE key_hmac = ANY($1::bytea[])"


async def read(connection: Connection, places: Sequence[Place]) -> tuple[dict[Place, Kept], datetime | None]:
    """What is known of these questions, and when it was read; those that were never asked are missing."""
    return _kept(await connection.fetch(_READ, *_columns(places)))


async def lock(connection: Connection, places: Sequence[Place], stop: str) -> Locked:
    """As `read`, for each of them, and nobody else changes them before this transaction ends; `stop` names a switch."""
    rows = await connection.fetch(_LOCK, *_columns(sorted(places)), stop)
    kept, now = _kept(rows)
    assert now is not None
    return Locked(kept, now, bool(rows[0]["stopped"]))


async def claim(connection: Connection, claims: Sequence[Claim], changes: Mapping[Scope, Change]) -> None:
    """Notes that we are asking, and what is set aside. The rows must be locked; each token goes up by one."""
    rows = [(*one.place, one.seconds, one.reserved, orjson.dumps(one.reserved_in).decode()) for one in claims]
    await connection.execute(_CLAIM, *spend.columns(changes), *zip(*rows, strict=True))


async def settle(connection: Connection, settled: Sequence[Settlement]) -> dict[Place, datetime]:
    """Notes what came of it, and in each scope; returns those that were still ours, with the time. One statement."""
    settled = sorted(settled, key=lambda one: one.place)
    rows = [(*one.place, *one[1:-1]) for one in settled]
    more = [(*one.place, *scope, *change) for one in settled for scope, change in one.changes]
    told = await connection.fetch(_SETTLE, *zip(*rows, strict=True), *(zip(*more, strict=True) if more else [()] * 7))
    return {Place(row["provider"], row["lookup"], row["key_hmac"]): row["now"] for row in told}


async def tidy(connection: Connection, seconds: float) -> int:
    """Ends reservations that have been over for `seconds`; how many. One statement."""
    count: int = await connection.fetchval(_TIDY, seconds)
    return count


async def forget(connection: Connection, keys: Sequence[bytes]) -> None:
    """Drops all that is kept under these keys."""
    await connection.execute(_FORGET, keys)


def _columns(places: Sequence[Place]) -> Sequence[Sequence[Any]]:
    return tuple(zip(*places, strict=True)) if places else ((), (), ())


def _kept(rows: Sequence[Any]) -> tuple[dict[Place, Kept], datetime | None]:
    kept = {}
    for row in rows:
        place = Place(row["provider"], row["lookup"], row["key_hmac"])
        scopes = tuple((scope, period) for scope, period in orjson.loads(row["reserved_in"]))
        kept[place] = Kept(
            place, row["state"], row["findings"], row["answered_at"], row["cost_usd"], row["paid_by"],
            row["ask_again_at"], row["reason"], row["handle"], row["token"], row["lease_until"], row["reserved_usd"],
            scopes,
        )  # fmt: skip
    return kept, rows[0]["now"] if rows else None
