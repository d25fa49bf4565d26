"""A lead: one identity in one campaign, as the sender described it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from revenueflow.domain.base import Value

DEFAULT_CAMPAIGN = "default"


class LeadStatus(StrEnum):
    """Where a lead stands. `accepted` is known from the delivery alone, before capture has folded it."""

    ACCEPTED = "accepted"
    PROCESSING = "processing"
    PARKED = "parked"
    PROCESSED = "processed"
    DEAD = "dead"
    ERASED = "erased"


class Tier(StrEnum):
    """How soon a rep should act."""

    HOT = "hot"
    WARM = "warm"
    COLD = "cold"


class Intent(StrEnum):
    """Buying intent, the only meaning that the word has here."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class LeadForm(Value):
    """The fields that a sender can give, under our names. All of it is what the person says: `self_reported`."""

    email: str | None = None
    name: str | None = None
    phone: str | None = None
    company: str | None = None
    website: str | None = None
    title: str | None = None
    industry: str | None = None
    headcount: str | None = None
    country: str | None = None
    location: str | None = None
    state: str | None = None
    postcode: str | None = None
    language: str | None = None
    linkedin_url: str | None = None
    source: str | None = None
    message: str | None = None


class Lead(Value):
    """A lead as the pipeline sees it. `domain` is the company's, never a free-mail or disposable one.

    `country` is ISO 3166-1 alpha-2 when it was understood, else None; `phone` is E.164 when it was understood,
    else as sent; `form` keeps what was sent.
    """

    id: UUID
    campaign_id: str = DEFAULT_CAMPAIGN
    version: int = 1
    form: LeadForm = LeadForm()
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    company: str | None = None
    domain: str | None = None
    title: str | None = None
    country: str | None = None
    time_zone: str | None = None
    source: str | None = None
    message: str | None = None
    received_at: datetime
