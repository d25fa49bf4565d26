"""Queries for benchmarks: how many leads are on their way, and how long each was."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from revenueflow.db.direct import Connection

# One count for each state, along the small index of that state: a run asks often.
_IN_FLIGHT = """
    SELECT (SELECT count(*) FROM jobs WHERE state = 'ready') + (SELECT count(*) FROM jobs WHERE state = 'leased')
"""
_STATUSES = "SELECT status, count(*) AS leads FROM leads WHERE campaign_id = $1 GROUP BY status"
_TIMES = """
    SELECT extract(epoch FROM received_at)::float8 AS received, extract(epoch FROM processed_at)::float8 AS processed
    FROM leads WHERE campaign_id = $1 AND processed_at IS NOT NULL
"""


class Times(NamedTuple):
    """When a lead was received and processed: seconds since 1970 by the database's clock."""

    received: float
    processed: float


async def in_flight(connection: Connection) -> int:
    """Jobs that are waiting or being worked on."""
    count: int = await connection.fetchval(_IN_FLIGHT)
    return count


async def statuses(connection: Connection, campaign_id: str) -> Counter[str]:
    """How many leads of a campaign have come to what."""
    rows: list[Any] = await connection.fetch(_STATUSES, campaign_id)
    return Counter({row["status"]: row["leads"] for row in rows})


async def times(connection: Connection, campaign_id: str) -> list[Times]:
    """The times of each processed lead of a campaign."""
    return [Times(*row) for row in await connection.fetch(_TIMES, campaign_id)]
