"""Queries on analyses: what models have answered, who is asking, and what of it counts against the caps.

All clocks are the database's. Rows are locked in the order of their key, then scopes in theirs: no two wait for each
other in a circle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from revenueflow.db.direct import Connection
from revenueflow.db.spend import Scope


class Amount(NamedTuple):
    """US dollars and tokens."""

    usd: Decimal = Decimal(0)
    tokens: int = 0


class Place(NamedTuple):
    """One question to one model: the HMAC of both; `seconds` is for how long its answer is kept."""

    key: bytes
    analyst: str
    model: str
    seconds: float


class Kept(NamedTuple):
    """What is known of a question. `answer` is JSON; `reason` says why there is none, `held` that this still holds."""

    answer: str | None
    reason: str | None
    held: bool
    busy: bool
    token: int
    paid_by: UUID | None
    input_tokens: int
    output_tokens: int
    cost: Decimal
    model: str
    reserved: Amount
    reserved_day: str | None


class Locked(NamedTuple):
    """Questions that are locked, the time, and whether the switch is on."""

    kept: dict[bytes, Kept]
    now: datetime
    stopped: bool


class Claim(NamedTuple):
    """A question that is going to be asked now, by us: who else waits does so for `seconds` at most."""

    place: Place
    seconds: float
    reserved: Amount
    day: str


class Change(NamedTuple):
    """By how much the sums of a scope change."""

    reserved: Amount
    settled: Amount


class Settlement(NamedTuple):
    """How a question that we asked ended, if `token` is still ours. Without an answer `reason` holds for `pause` s."""

    key: bytes
    token: int
    answer: str | None
    reason: str | None
    pause: float
    paid_by: UUID
    input_tokens: int
    output_tokens: int
    cost: Decimal
    changes: Sequence[tuple[Scope, Change]]


# An answer that is past its time is as good as none.
_LOCK = """
    INSERT INTO analyses AS kept (key_hmac, analyst, model, expires_at)
    SELECT key, analyst, model, now() + make_interval(secs => seconds)
    FROM unnest($1::bytea[], $2::text[], $3::text[], $4::float8[]) AS new(key, analyst, model, seconds) ORDER BY 1
    ON CONFLICT (key_hmac) DO UPDATE SET token = kept.token
    RETURNING key_hmac, CASE WHEN expires_at > now() THEN answer::text END AS answer, reason,
        coalesce(ask_again_at > now(), false) AS held, coalesce(lease_until > now(), false) AS busy, token,
        paid_by, input_tokens, output_tokens, cost_usd, model, reserved_usd, reserved_tokens, reserved_day,
        now() AS now, EXISTS (SELECT FROM controls WHERE name = $5) AS stopped
"""
_LOCK_SPEND = """
    INSERT INTO spend AS sums (scope, period) SELECT * FROM unnest($1::text[], $2::text[]) AS one(scope, period)
    ORDER BY 1, 2
    ON CONFLICT (scope, period) DO UPDATE SET updated_at = now()
    RETURNING scope, period, reserved_usd + settled_usd AS usd, reserved_tokens + settled_tokens AS tokens
"""
_ADD = """
    UPDATE spend SET reserved_usd = greatest(0, spend.reserved_usd + more.reserved),
        reserved_tokens = greatest(0, spend.reserved_tokens + more.reserved_tokens),
        settled_usd = spend.settled_usd + more.settled,
        settled_tokens = spend.settled_tokens + more.settled_tokens, updated_at = now()
    FROM {more} WHERE spend.scope = more.scope AND spend.period = more.period
"""
_CHANGES = """unnest($1::text[], $2::text[], $3::numeric[], $4::bigint[], $5::numeric[], $6::bigint[])
    AS more(scope, period, reserved, reserved_tokens, settled, settled_tokens)"""
_CLAIM = f"""
    WITH claimed AS (
        UPDATE analyses SET state = 'asking', token = token + 1, reserved_usd = new.usd, reserved_tokens = new.tokens,
            reserved_day = new.day, lease_until = now() + make_interval(secs => new.seconds), answer = NULL,
            reason = NULL, expires_at = now() + make_interval(secs => new.kept)
        FROM unnest($9::bytea[], $10::float8[], $11::float8[], $12::numeric[], $13::bigint[], $14::text[])
            AS new(key, kept, seconds, usd, tokens, day)
        WHERE analyses.key_hmac = new.key
    ), used AS (
        INSERT INTO analysis_uses (lead_id, key_hmac) SELECT * FROM unnest($7::uuid[], $8::bytea[]) ORDER BY 1, 2
        ON CONFLICT DO NOTHING
    )
    {_ADD.format(more=_CHANGES)}
"""  # noqa: S608 constants
# What is settled of each scope counts only for questions that were still ours. An answer about somebody who was erased
# meanwhile is paid and not kept.
_SETTLE = f"""
    WITH new AS (
        SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::text[], $5::float8[], $6::uuid[], $7::int[],
            $8::int[], $9::numeric[]) AS one(key, token, answer, reason, pause, paid_by, input, output, cost)
    ), ours AS (
        SELECT analyses.key_hmac FROM analyses JOIN new ON analyses.key_hmac = new.key AND analyses.token = new.token
        WHERE analyses.state = 'asking' ORDER BY analyses.key_hmac FOR UPDATE OF analyses
    ), settled AS (
        UPDATE analyses SET state = 'idle', lease_until = NULL, reason = new.reason,
            answer = CASE WHEN NOT EXISTS (
                SELECT FROM analysis_uses JOIN leads ON leads.id = lead_id
                WHERE analysis_uses.key_hmac = new.key AND erased_at IS NOT NULL) THEN new.answer::jsonb END,
            ask_again_at = now() + make_interval(secs => new.pause), paid_by = new.paid_by,
            input_tokens = new.input, output_tokens = new.output, cost_usd = new.cost, reserved_usd = 0,
            reserved_tokens = 0, reserved_day = NULL
        FROM new JOIN ours ON ours.key_hmac = new.key WHERE analyses.key_hmac = new.key
        RETURNING analyses.key_hmac
    ), summed AS (
        SELECT scope, period, sum(reserved) AS reserved, sum(reserved_tokens)::bigint AS reserved_tokens,
            sum(settled) AS settled, sum(settled_tokens)::bigint AS settled_tokens
        FROM unnest($10::bytea[], $11::text[], $12::text[], $13::numeric[], $14::bigint[], $15::numeric[],
                    $16::bigint[]) AS one(key_hmac, scope, period, reserved, reserved_tokens, settled, settled_tokens)
        JOIN settled USING (key_hmac) GROUP BY 1, 2
    ), more AS (
        SELECT summed.* FROM summed JOIN spend USING (scope, period) ORDER BY scope, period FOR UPDATE OF spend
    ), changed AS ({_ADD.format(more="more")})
    SELECT key_hmac FROM settled
"""  # noqa: S608 constants
# A call of which nobody has told the end counts as made.
_ABANDONED = f"""
    WITH left_over AS (
        SELECT key_hmac, model, reserved_usd, reserved_tokens, reserved_day FROM analyses
        WHERE state = 'asking' AND lease_until < now() - make_interval(secs => $1)
        ORDER BY key_hmac LIMIT 500 FOR UPDATE SKIP LOCKED
    ), ended AS (
        UPDATE analyses SET state = 'idle', lease_until = NULL, reserved_usd = 0, reserved_tokens = 0,
            reserved_day = NULL, token = analyses.token + 1
        FROM left_over WHERE analyses.key_hmac = left_over.key_hmac
    ), summed AS (
        SELECT scope, reserved_day AS period, sum(reserved_usd) AS usd, sum(reserved_tokens)::bigint AS tokens
        FROM left_over CROSS JOIN LATERAL (VALUES ('models'), ('model:' || model)) AS one(scope) GROUP BY 1, 2
    ), more AS (
        SELECT scope, period, -usd AS reserved, -tokens AS reserved_tokens, usd AS settled, tokens AS settled_tokens
        FROM summed JOIN spend USING (scope, period) ORDER BY scope, period FOR UPDATE OF spend
    ), changed AS ({_ADD.format(more="more")})
    SELECT count(*) FROM left_over
"""  # noqa: S608 constants
_EXPIRED = """
    DELETE FROM analyses WHERE key_hmac = ANY(ARRAY(
        SELECT key_hmac FROM analyses WHERE expires_at < now() AND state = 'idle'
        ORDER BY expires_at LIMIT 500 FOR UPDATE SKIP LOCKED))
"""
_FORGET = """
    DELETE FROM analyses WHERE key_hmac = ANY(ARRAY(
        SELECT key_hmac FROM analysis_uses WHERE lead_id = ANY($1::uuid[])))
"""


async def lock(connection: Connection, places: Sequence[Place], stop: str) -> Locked:
    """What is known of each; nobody else changes it before this transaction ends. `stop` names a switch."""
    rows = await connection.fetch(_LOCK, *zip(*sorted(set(places)), strict=True), stop)
    return Locked({row["key_hmac"]: _kept(row) for row in rows}, rows[0]["now"], rows[0]["stopped"])


async def lock_spend(connection: Connection, scopes: Sequence[Scope]) -> dict[Scope, Amount]:
    """What is taken of each, reserved or paid; nobody else changes it before this transaction ends."""
    rows = await connection.fetch(_LOCK_SPEND, *zip(*sorted(set(scopes)), strict=True))
    return {(row["scope"], row["period"]): Amount(row["usd"], row["tokens"]) for row in rows}


async def claim(
    connection: Connection,
    uses: Sequence[tuple[UUID, bytes]],
    claims: Sequence[Claim],
    changes: Mapping[Scope, Change],
) -> None:
    """Notes who uses what, what we are asking, and what is set aside. The rows are locked; tokens go up by one."""
    rows = [(one.place.key, one.place.seconds, one.seconds, *one.reserved, one.day) for one in claims]
    sums = [(*scope, *change.reserved, *change.settled) for scope, change in sorted(changes.items())]
    await connection.execute(_CLAIM, *_columns(sums, 6), *_columns(sorted(set(uses)), 2), *_columns(rows, 6))


async def settle(connection: Connection, settled: Sequence[Settlement]) -> set[bytes]:
    """Notes what came of it, and in each scope; the keys of those that were still ours. One statement."""
    settled = sorted(settled, key=lambda one: one.key)
    rows = [one[:-1] for one in settled]
    sums = [(one.key, *scope, *change.reserved, *change.settled) for one in settled for scope, change in one.changes]
    told = await connection.fetch(_SETTLE, *_columns(rows, 9), *_columns(sums, 7))
    return {row["key_hmac"] for row in told}


async def tidy(connection: Connection, seconds: float) -> int:
    """Settles calls that nobody came back from for `seconds`, how many; and deletes answers past their time."""
    count: int = await connection.fetchval(_ABANDONED, seconds)
    await connection.execute(_EXPIRED)
    return count


async def forget(connection: Connection, leads: Sequence[UUID]) -> int:
    """Deletes every answer to a prompt that held evidence about these leads; how many."""
    deleted: str = await connection.execute(_FORGET, leads)
    return int(deleted.rpartition(" ")[2])


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> Sequence[Sequence[Any]]:
    return tuple(zip(*rows, strict=True)) if rows else [()] * width


def _kept(row: Any) -> Kept:
    return Kept(
        row["answer"], row["reason"], row["held"], row["busy"], row["token"], row["paid_by"], row["input_tokens"],
        row["output_tokens"], row["cost_usd"], row["model"], Amount(row["reserved_usd"], row["reserved_tokens"]),
        row["reserved_day"],
    )  # fmt: skip
