"""Queries on spend: what is reserved and what was paid, by scope and period, in US dollars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import text

from revenueflow.db.direct import Connection
from revenueflow.db.session import Session

Scope: TypeAlias = tuple[str, str]
"""(all, provider:NAME, campaign:ID, models or model:NAME; a day in UTC as YYYY-MM-DD, or `ever`)."""
STOPPED = "spending_stopped"
"""The switch that stops every paid call."""


class Change(NamedTuple):
    """By how much the two sums of a scope change."""

    reserved: Decimal
    settled: Decimal


_NAMED = "unnest($1::text[], $2::text[]) AS named(scope, period)"
_LOCK = f"""
    INSERT INTO spend AS sums (scope, period) SELECT * FROM {_NAMED} ORDER BY 1, 2
    ON CONFLICT (scope, period) DO UPDATE SET updated_at = now()
    RETURNING scope, period, reserved_usd + settled_usd AS taken
"""  # noqa: S608 constants
CHANGE = """
    UPDATE spend SET reserved_usd = greatest(0, spend.reserved_usd + more.reserved),
        settled_usd = spend.settled_usd + more.settled, updated_at = now()
    FROM unnest($1::text[], $2::text[], $3::numeric[], $4::numeric[]) AS more(scope, period, reserved, settled)
    WHERE spend.scope = more.scope AND spend.period = more.period
"""
"""Adds to the sums of scopes that are locked, given as `columns`."""
_SINCE = text("""
    SELECT scope, period, reserved_usd::float8 AS reserved_usd, settled_usd::float8 AS settled_usd, settled_tokens,
        updated_at
    FROM spend WHERE period = 'ever' OR period >= :day ORDER BY period DESC, scope
""")


async def lock(connection: Connection, scopes: Sequence[Scope]) -> dict[Scope, Decimal]:
    """What is taken of each, reserved or paid; nobody else changes it before this transaction ends."""
    names = zip(*sorted(scopes), strict=True)
    return {(row["scope"], row["period"]): row["taken"] for row in await connection.fetch(_LOCK, *names)}


def columns(changes: Mapping[Scope, Change]) -> Sequence[Sequence[Any]]:
    """Changes as the arrays of CHANGE."""
    rows = [(*scope, *one) for scope, one in sorted(changes.items())]
    return tuple(zip(*rows, strict=True)) if rows else ((), (), (), ())


async def since(session: Session, day: str) -> list[dict[str, Any]]:
    """The sums of days from `day` (YYYY-MM-DD) on, and of what has no day."""
    return [dict(row) for row in (await session.execute(_SINCE, {"day": day})).mappings()]
