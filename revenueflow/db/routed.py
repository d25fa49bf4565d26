"""Queries on how leads were routed: one lead's whole way, and what routing looked at for many."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text

from revenueflow.db.session import Session

_LATEST = """
    SELECT s.output FROM steps s JOIN jobs j ON j.id = s.job_id
    WHERE j.lead_id = {lead} AND s.name = '{step}' ORDER BY s.finished_at DESC LIMIT 1
"""
_WAY = text(_LATEST.format(lead=":lead_id", step="route"))
_PAST = text(f"""
    SELECT l.id, l.received_at, l.owner_id, l.routing_rule, l.time_zone, l.form ->> 'location' AS location,
           l.form ->> 'state' AS state, l.form ->> 'postcode' AS postcode, l.form ->> 'language' AS language,
           f.facts ->> 'country' AS country, (f.facts ->> 'headcount')::integer AS headcount,
           f.facts ->> 'industry' AS industry, f.facts ->> 'domain' AS domain, f.facts ->> 'company' AS company,
           l.campaign_id, l.first_touch_at, f.tier, f.unread,
           ({_LATEST.format(lead="l.id", step="route").replace("s.output", "s.output #>> '{routing,policy_version}'")})
               AS policy_version
    FROM leads l CROSS JOIN LATERAL (
        SELECT output -> 'facts' AS facts, output -> 'score' ->> 'tier' AS tier,
               ARRAY(SELECT jsonb_object_keys(output -> 'facts' -> 'unread')) AS unread
        FROM ({_LATEST.format(lead="l.id", step="score")}) AS latest
    ) AS f
    WHERE l.received_at >= :since AND (l.received_at, l.id) > (:at, :id)
      AND l.owner_id IS NOT NULL AND l.erased_at IS NULL
    ORDER BY l.received_at, l.id LIMIT :limit
""")  # noqa: S608 constants

_HELD = text("""
    SELECT owner_id, first_touch_at, count(*) AS leads FROM leads
    WHERE received_at < :since AND (first_touch_at IS NULL OR first_touch_at > :since)
      AND owner_id IS NOT NULL AND erased_at IS NULL
    GROUP BY owner_id, first_touch_at
""")

_GIVE = text("""
    UPDATE leads SET owner_id = :to, owner_name = :name, routing_rule = :rule, routing_reason = :reason,
        updated_at = now()
    WHERE id = :lead_id AND owner_id = :from_ AND first_touch_at IS NULL AND erased_at IS NULL
      AND routing_rule NOT LIKE :pinned || '%' AND routing_rule <> 'existing:' || :pinned
      AND NOT EXISTS (SELECT FROM jobs WHERE lead_id = :lead_id AND state IN ('ready', 'leased', 'parked'))
    RETURNING id
""")


class Held(NamedTuple):
    """So many leads that a rep had open: until they were touched, or still."""

    owner_id: str
    first_touch_at: datetime | None
    leads: int


class Given(NamedTuple):
    """A lead that the rules give to another rep."""

    lead_id: UUID
    from_: str
    to: str
    name: str
    rule: str
    reason: str


async def give(session: Session, one: Given, pinned: str) -> bool:
    """Gives an open lead to another rep. False, and nothing is changed, if it is not as it was.

    That is: touched, erased, or given to somebody in the meantime (its rule begins with `pinned`), or in a run.
    """
    return (await session.execute(_GIVE, {**one._asdict(), "pinned": pinned})).first() is not None


async def way(session: Session, lead_id: UUID) -> dict[str, Any] | None:
    """The last routing of a lead, as the step has kept it."""
    output = (await session.execute(_WAY, {"lead_id": lead_id})).scalar()
    return output["routing"] if output else None


async def past(
    session: Session, since: datetime, after: tuple[datetime, UUID] | None, limit: int
) -> list[dict[str, Any]]:
    """What routing looked at for leads that came since, oldest first; `after`: (received_at, id) of the last one."""
    at, id_ = after or (since, UUID(int=0))
    found = await session.execute(_PAST, {"since": since, "at": at, "id": id_, "limit": limit})
    return [dict(row) for row in found.mappings()]


async def held(session: Session, at: datetime) -> list[Held]:
    """The leads that came before a moment and were open at it, by owner."""
    return [Held(**row) for row in (await session.execute(_HELD, {"since": at})).mappings()]
