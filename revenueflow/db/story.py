"""Queries that hold our verdicts against what the sandbox's model says it invented."""

from __future__ import annotations

from sqlalchemy import text

from revenueflow.db.session import Session

_VERDICTS = text("""
    SELECT array_agg(statement ORDER BY substr(ref, 2)::integer) AS statements,
           array_agg(verdict ORDER BY substr(ref, 2)::integer) AS verdicts
    FROM claims GROUP BY job_id
""")


async def verdicts_by_statements(session: Session) -> dict[tuple[str, ...], list[list[str]]]:
    """The verdicts of every run, by the statements of its claims in order."""
    found: dict[tuple[str, ...], list[list[str]]] = {}
    for row in await session.execute(_VERDICTS):
        found.setdefault(tuple(row.statements), []).append(list(row.verdicts))
    return found
