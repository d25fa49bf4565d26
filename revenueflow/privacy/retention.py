"""For how long what is kept: the form of retention.toml."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from revenueflow.domain.base import Value

FILE = "retention.toml"
Days = Annotated[int, Field(ge=0, le=36500)]


class RetentionDays(Value):
    """Days by kind; 0 keeps them for good. Each kind is one of `db.retention.RULES`."""

    raw_deliveries: Days
    quarantine: Days
    import_rejects: Days
    checkpoints: Days
    evidence: Days
    claims: Days
    action_arguments: Days
    lookups: Days


class RetentionRules(Value):
    """How long things are kept, how often that is looked at, and how many rows a transaction takes."""

    every_hours: Annotated[float, Field(ge=0.1, le=720)]
    batch: Annotated[int, Field(ge=1, le=10_000)]
    days: RetentionDays
