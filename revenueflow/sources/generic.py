"""Any sender with flat fields: forms, Standard Webhooks, and our own API."""

from __future__ import annotations

from pathlib import Path

from revenueflow.sources import aliases, payload
from revenueflow.sources.arrival import Arrival

SOURCE = "webhook"


def read(raw: bytes, content_type: str, delivery: str | None = None, config_dir: Path | None = None) -> Arrival:
    """The arrival in a request to /webhooks/lead. `delivery` is `webhook-id`; else the body's hash does."""
    return arrival(SOURCE, raw, content_type, delivery, config_dir)


def arrival(
    source: str, raw: bytes, content_type: str, delivery: str | None, config_dir: Path | None = None
) -> Arrival:
    """One flat payload as an arrival of `source`; quarantined with a reason if it can't be read."""
    key = payload.delivery_key(delivery, raw)
    try:
        understood = aliases.understand(payload.fields(raw, content_type), config_dir)
    except payload.Unreadable as problem:
        return Arrival(source, key, raw, content_type, reason=str(problem))
    return Arrival(source, key, raw, content_type, understood, own_id=understood.source_id)
