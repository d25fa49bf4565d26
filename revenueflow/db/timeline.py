"""One query for everything known of a lead: delivery, evidence, steps, claims, score, routing, writes, audit, timers,
outcomes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text

from revenueflow.db.session import Session


class Place(NamedTuple):
    """Where an item stands in the timeline: by time, then by kind, then by its number within the kind."""

    at: datetime
    rank: int
    sort: str


START = Place(datetime.min.replace(tzinfo=UTC), 0, "")

_ITEMS = text("""
    SELECT * FROM (
        SELECT received_at AS at, 0 AS rank, id::text AS sort, id::text AS id, 'delivery' AS type,
               jsonb_build_object('source', source, 'outcome', outcome, 'bytes', octet_length(raw)) AS data
        FROM deliveries WHERE lead_id = :lead_id
      UNION ALL
        SELECT greatest(e.fetched_at, l.received_at), 1, to_char(e.ordinal, 'FM00000') || e.id, e.id::text, 'evidence',
               jsonb_build_object('ref', 'E' || e.ordinal, 'provider', e.provider, 'lookup', e.lookup,
                                  'signal', e.signal, 'path', e.path, 'value', e.value, 'trust', e.trust,
                                  'fetched_at', e.fetched_at, 'cost_usd', e.cost, 'job_id', e.job_id,
                                  'age_seconds', round(extract(epoch FROM now() - e.fetched_at)))
        FROM evidence e JOIN leads l ON l.id = e.lead_id WHERE e.lead_id = :lead_id
      UNION ALL
        SELECT c.created_at, 3, lpad(substr(c.ref, 2), 5, '0') || c.id, c.id::text, 'claim',
               jsonb_build_object('ref', c.ref, 'field', c.field, 'value', c.value, 'statement', c.statement,
                                  'citations', c.citations, 'verdict', c.verdict, 'score', c.score,
                                  'decided_by', c.decided_by, 'expected', c.expected, 'found', c.found,
                                  'spans', c.spans, 'supporting', c.supporting, 'opposing', c.opposing,
                                  'job_id', c.job_id)
        FROM claims c WHERE c.lead_id = :lead_id
      UNION ALL
        SELECT s.finished_at, CASE s.name WHEN 'score' THEN 4 WHEN 'route' THEN 5 ELSE 2 END,
               s.job_id || '/' || s.name, s.job_id || '/' || s.name,
               CASE s.name WHEN 'score' THEN 'score' WHEN 'route' THEN 'routing' ELSE 'step' END,
               CASE WHEN s.name IN ('score', 'route') THEN s.output
                    ELSE CASE s.name
                         WHEN 'enrich' THEN jsonb_build_object('providers', s.output -> 'reports',
                                                               'missed', s.output -> 'missed',
                                                               'completeness', s.output -> 'completeness',
                                                               'cost_usd', s.output -> 'cost')
                         WHEN 'analyse' THEN (s.output -> 'analysis') - 'claims'
                                             || jsonb_build_object('failures', s.output -> 'failures',
                                                                   'prompt_sha256', s.output -> 'prompt_sha256')
                         WHEN 'ground' THEN jsonb_build_object('verdict', s.output -> 'judgement' -> 'verdict',
                                                               'fit', s.output -> 'judgement' -> 'fit',
                                                               'intent', s.output -> 'judgement' -> 'intent',
                                                               'summary', s.output -> 'summary',
                                                               'second_opinion', s.output -> 'opinion')
                         WHEN 'notify' THEN s.output
                         WHEN 'follow_up' THEN s.output
                         ELSE '{}' END
                         || jsonb_build_object('name', s.name, 'version', s.step_version, 'job_id', s.job_id,
                                               'seconds', extract(epoch FROM s.finished_at - s.started_at)) END
        FROM steps s JOIN jobs j ON j.id = s.job_id WHERE j.lead_id = :lead_id
      UNION ALL
        SELECT a.planned_at, 6, a.action_key::text, a.action_key::text, 'action',
               jsonb_build_object('tool', a.tool, 'state', a.state, 'record_key', a.record_key, 'crm_id', a.crm_id,
                                  'run_version', a.run_version, 'caller', a.caller, 'tries', a.tries,
                                  'sent_at', a.sent_at, 'settled_at', a.settled_at, 'error', a.error)
        FROM actions a WHERE a.lead_id = :lead_id
      UNION ALL
        SELECT t.ts, 7, t.id::text, t.id::text, 'audit',
               jsonb_build_object('actor', t.actor, 'action', t.action, 'outcome', t.outcome, 'detail', t.detail,
                                  'action_key', t.action_key, 'trace_id', t.trace_id)
        FROM audit_trail t WHERE t.lead_id = :lead_id
      UNION ALL
        SELECT s.started_at, 8, to_char(s.number, 'FM00000'), s.id::text, 'timer',
               jsonb_build_object('number', s.number, 'given', s.given, 'tier', s.tier, 'owner_id', s.owner_id,
                                  'owner_name', s.owner_name, 'reason', s.reason, 'rules', s.rules, 'due_at', s.due_at,
                                  'state', s.state, 'remind_at', s.remind_at, 'reminded_at', s.reminded_at,
                                  'reminder', s.reminder, 'breached_at', s.breached_at, 'ended_at', s.ended_at)
        FROM sla_timers s WHERE s.lead_id = :lead_id
      UNION ALL
        SELECT o.happened_at, 9, o.id::text, o.id::text, 'outcome',
               jsonb_build_object('outcome', o.kind, 'value_minor', o.value_minor, 'currency', o.currency,
                                  'owner_id', o.owner_id, 'recorded_by', o.recorded_by, 'recorded_at', o.recorded_at)
        FROM outcomes o WHERE o.lead_id = :lead_id
    ) items
    WHERE (at, rank, sort) > (:at, :rank, :sort)
    ORDER BY at, rank, sort LIMIT :limit
""")


async def page(session: Session, lead_id: UUID, *, after: Place, limit: int) -> list[dict[str, Any]]:
    """Items (at, rank, sort, id, type, data) behind `after`, oldest first."""
    found = await session.execute(_ITEMS, {"lead_id": lead_id, "limit": limit, **after._asdict()})
    return [dict(row) for row in found.mappings()]
