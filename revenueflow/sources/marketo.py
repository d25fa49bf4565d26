"""Marketo's webhook: a flat payload that the customer's template makes, JSON or form, with a shared secret."""

from __future__ import annotations

from pathlib import Path

from revenueflow.sources import generic
from revenueflow.sources.arrival import Arrival

SOURCE = "marketo"


def read(raw: bytes, content_type: str, delivery: str | None = None, config_dir: Path | None = None) -> Arrival:
    """The arrival in a request. `delivery` is the operator's header that names it; else the body's hash does."""
    return generic.arrival(SOURCE, raw, content_type, delivery, config_dir)
