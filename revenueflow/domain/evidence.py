"""Evidence: one fact with its provenance. What is not evidence can't carry a claim."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import JsonValue

from revenueflow.domain.base import Value


class Trust(StrEnum):
    """Who says it: a data vendor, the customer's own records, or the person who filled the form."""

    VENDOR = "vendor"
    FIRST_PARTY = "first_party"
    SELF_REPORTED = "self_reported"


class Signal(StrEnum):
    """What a piece of evidence is about. Values: text unless noted."""

    COMPANY_NAME = "company_name"
    COMPANY_DOMAIN = "company_domain"
    DESCRIPTION = "description"
    INDUSTRY = "industry"
    HEADCOUNT = "headcount"
    """Number of employees: integer, or a range as text ("51-200")."""
    COUNTRY = "country"
    """ISO 3166-1 alpha-2, or a country's name as the vendor writes it."""
    CITY = "city"
    TECHNOLOGIES = "technologies"
    """List of product names."""
    FUNDING_TOTAL = "funding_total"
    """US dollars, number."""
    FUNDING_STAGE = "funding_stage"
    REVENUE = "revenue"
    """US dollars a year: number, or a range as text ("$10M-$50M")."""
    FOUNDED_YEAR = "founded_year"
    """Integer."""
    TITLE = "title"
    SENIORITY = "seniority"
    DEPARTMENT = "department"
    MESSAGE = "message"
    """Free text from the form, with personal data replaced by placeholders."""
    SOURCE = "source"
    EMAIL_STATUS = "email_status"
    """Whether mail to the lead's address arrives: valid, invalid, accept_all, webmail, disposable or unknown."""
    NEWS = "news"
    """List of short texts about the company, newest first."""
    POSTS = "posts"
    """List of what the person wrote in public, newest first, with personal data replaced by placeholders."""
    JOB_POSTINGS = "job_postings"
    """List of titles of jobs that the company offers."""


SPOKEN = frozenset({Signal.DESCRIPTION, Signal.MESSAGE, Signal.NEWS, Signal.POSTS})
"""Texts in which a company or a person speaks of itself: a vendor only passes them on, and anything may stand there."""


class Evidence(Value):
    """One fact: `value` is what `provider` said at `path` (RFC 9535 JSONPath in its answer) at `fetched_at`.

    `lookup` is what it was asked; `cost` is what that answer, with all its facts, cost this lead, in US dollars.
    """

    id: UUID
    provider: str
    signal: Signal
    path: str
    value: JsonValue
    fetched_at: datetime
    trust: Trust
    lookup: str | None = None
    cost: float = 0.0
