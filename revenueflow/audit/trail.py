"""Appends what was decided, in the transaction of the decision itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import uuid_utils

from revenueflow.audit import merkle
from revenueflow.clock import rfc3339, utcnow
from revenueflow.db import audit_events
from revenueflow.db.direct import Connection
from revenueflow.db.session import Session
from revenueflow.domain.outcome import AuditEntry
from revenueflow.privacy.redaction import redact_all


@dataclass(frozen=True, slots=True)
class Subject:
    """What a batch of entries is about."""

    lead_id: UUID | None = None
    job_id: UUID | None = None
    trace_id: str | None = None


async def append(session: Session, subject: Subject, entries: Sequence[AuditEntry]) -> None:
    """Appends `entries` in the caller's transaction: either the decision and its trace are both there, or none."""
    if entries:
        await audit_events.append(session, [row(subject, entry) for entry in entries])


async def append_rows(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Appends rows made by `row`, of several subjects, in the transaction on a direct connection."""
    if rows:
        await audit_events.append_direct(connection, list(rows))


def leaf_hash(event: dict[str, Any]) -> bytes:
    """SHA-256(0x00 || RFC 8785 JSON of the event): the leaf of an RFC 6962 tree.

    With ASCII keys and with strings, integers, booleans and null only, sorted compact JSON is RFC 8785.
    """
    return merkle.leaf(orjson.dumps(event, option=orjson.OPT_SORT_KEYS))


def row(subject: Subject, entry: AuditEntry) -> dict[str, Any]:
    """An event as `audit_append()` takes it, with its leaf hash."""
    event = {
        "id": str(uuid_utils.uuid7()),
        "ts": rfc3339(utcnow()),
        "actor": entry.actor,
        "action": entry.action,
        "outcome": entry.outcome,
        "lead_id": _text(subject.lead_id),
        "job_id": _text(subject.job_id),
        "action_key": _text(entry.action_key),
        "trace_id": subject.trace_id,
        # What nobody foresaw in a code or an id must not be sealed for good.
        "detail": redact_all(entry.detail),
    }
    return event | {"leaf_hash": leaf_hash(event).hex()}


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None
