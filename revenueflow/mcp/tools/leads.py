"""Tools on the lead itself."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from revenueflow.domain.lead import Tier
from revenueflow.mcp.tools.base import READS, Line, Number, Slug, Text, Tool, ToolArgs


class UpsertLead(ToolArgs):
    """Creates the lead in the CRM, or sets the fields that are given. `industry` and `headcount` need a supported
    claim of this lead, named in `claims`."""

    campaign_id: Line
    email: Line | None = None
    name: Line | None = None
    phone: Line | None = None
    company: Line | None = None
    domain: Line | None = None
    title: Line | None = None
    country: Line | None = None
    source: Line | None = None
    industry: Line | None = None
    headcount: int | Line | None = None
    summary: Text | None = Field(None, description="what supported claims say, each with its citation")


class GetLead(ToolArgs):
    """Reads the lead as the CRM holds it now. Writes nothing and needs no idempotency key."""


class SetLeadScore(ToolArgs):
    """Sets the lead's score, from 0 to 100, with the reason for it."""

    score: int = Field(ge=0, le=100)
    tier: Tier = Field(strict=False)
    intent: Line
    profile: Line = Field(description="the scoring profile that was used")
    reason: Text


class UpdateLeadStatus(ToolArgs):
    """Moves the lead to another status. Only transitions of policy.toml are allowed: a denial names the next ones."""

    status: Slug
    reason: Text | None = None


class AssignOwner(ToolArgs):
    """Makes a rep the owner of the lead, and says why."""

    owner_id: Line
    owner_name: Line
    reason: Text


class ConvertLead(ToolArgs):
    """Converts a qualified lead in the CRM, which can't be undone. `opportunity` names an opportunity to open with it;
    without one none is opened."""

    opportunity: Line | None = Field(None, description="name of the opportunity to open")
    reason: Text


class LeadRecord(BaseModel):
    """The lead's fields that an agent may read. What the CRM holds besides is left out.

    `touched_at` is when somebody was first in touch with the person, `contacted_at` when last, `activity_on` the day of
    the last activity, `created_at` when the record was made: what of these a CRM knows.
    """

    model_config = ConfigDict(extra="forbid")

    campaign_id: Line | None = None
    email: Line | None = None
    name: Line | None = None
    phone: Line | None = None
    company: Line | None = None
    domain: Line | None = None
    title: Line | None = None
    country: Line | None = None
    source: Line | None = None
    industry: Line | None = None
    headcount: Number | Line | None = None
    summary: Text | None = None
    score: Number | None = None
    tier: Line | None = None
    intent: Line | None = None
    score_reason: Text | None = None
    owner_id: Line | None = None
    owner_name: Line | None = None
    owner_reason: Text | None = None
    status: Line | None = None
    status_reason: Text | None = None
    converted: bool | None = None
    touched_at: Line | None = None
    contacted_at: Line | None = None
    activity_on: Line | None = None
    created_at: Line | None = None


class LeadFound(BaseModel):
    """`lead` is null if the CRM has none."""

    model_config = ConfigDict(extra="forbid")

    found: bool = False
    record: LeadRecord | None = None
    reason: str | None = None


TOOLS = (
    Tool("upsert_lead", UpsertLead, "lead"),
    Tool("get_lead", GetLead, "lead", READS, told=LeadFound, shows=LeadRecord),
    Tool("set_lead_score", SetLeadScore, "lead", renamed={"reason": "score_reason"}),
    Tool(
        "update_lead_status",
        UpdateLeadStatus,
        "lead",
        renamed={"reason": "status_reason"},
        follows=True,
        moves="status",
    ),
    Tool("assign_owner", AssignOwner, "lead", renamed={"reason": "owner_reason"}),
    Tool(
        "convert_lead",
        ConvertLead,
        "lead",
        renamed={"reason": "conversion_reason", "opportunity": "conversion_opportunity"},
        adds={"converted": True},
        follows=True,
        moves="converted",
    ),
)
