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


class LeadDays(Value):
    """Days after which leads are erased of which nothing was heard since; 0 keeps them. One of `db.aged.KINDS` each."""

    untouched: Days = Field(0, description="processed; no rep has touched them, and sales said nothing")
    rejected: Days = Field(0, description="of these, those whose analysis was rejected")
    lost: Days = Field(0, description="of which sales said last that they are lost")
    parked: Days = Field(0, description="that wait for a person, or whose run is dead")


class LeadRules(Value):
    """Leads that are past their time, and how many people a round erases at the most."""

    most: Annotated[int, Field(ge=1, le=100_000)] = 1000
    days: LeadDays = LeadDays()


class RetentionRules(Value):
    """How long things are kept, how often that is looked at, and how many rows a transaction takes."""

    every_hours: Annotated[float, Field(ge=0.1, le=720)]
    batch: Annotated[int, Field(ge=1, le=10_000)]
    days: RetentionDays
    leads: LeadRules = LeadRules()
