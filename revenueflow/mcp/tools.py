"""The tools: what each takes, and which record of the CRM it writes.

Argument models refuse fields that they don't know, so that nothing reaches the CRM that was not meant to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field

from revenueflow.domain.base import Value
from revenueflow.domain.lead import Tier

# Postgres holds no NUL: such a call is denied here, and not broken off half-way.
_NO_NUL = r"^[^\x00]*$"
Line = Annotated[str, Field(max_length=500, pattern=_NO_NUL)]
Text = Annotated[str, Field(max_length=8000, pattern=_NO_NUL)]


def _no_number(value: object) -> object:
    """A time is RFC 3339: seconds since 1970 would be coercion, as a number or in text."""
    if isinstance(value, datetime) or (isinstance(value, str) and "T" in value.upper()):
        return value
    raise ValueError("must be a time as in RFC 3339")


Moment = Annotated[AwareDatetime, BeforeValidator(_no_number)]


class ToolArgs(Value):
    """What every tool takes. Types are exact: "7" is not 7."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    lead_id: UUID = Field(strict=False, description="the lead that the write is about")


class UpsertLead(ToolArgs):
    """The lead itself. `industry` and `headcount` need a supported claim."""

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
    headcount: int | str | None = None
    summary: Text | None = Field(None, description="what supported claims say, each with its citation")


class SetLeadScore(ToolArgs):
    """The score with its reason."""

    score: int = Field(ge=0, le=100)
    tier: Tier = Field(strict=False)
    intent: Line
    profile: Line
    reason: Text


class AssignOwner(ToolArgs):
    """The rep who owns the lead, and why."""

    owner_id: Line
    owner_name: Line
    reason: Text


class CreateTask(ToolArgs):
    """A task for the owner."""

    owner_id: Line
    subject: Line
    body: Text
    due_at: Moment = Field(strict=False)


class PostMessage(ToolArgs):
    """A chat message to the team. Ours alone: not offered to MCP clients."""

    channel: Line
    text: Text


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: its arguments, and the record (`object_type`, one per lead and `slot`) that it writes."""

    name: str
    args: type[ToolArgs]
    object_type: str
    target: Literal["crm", "messenger"] = "crm"
    slot: str = "main"
    exposed: bool = True
    renamed: Mapping[str, str] = field(default_factory=dict)

    def fields(self, args: ToolArgs) -> dict[str, Any]:
        """What is written: the arguments that were given, as JSON values.

        No two tools write the same field of one record (but `lead_id`): each could undo the other's.
        """
        given = args.model_dump(mode="json", exclude_none=True)
        return {self.renamed.get(name, name): value for name, value in given.items()}


TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool("upsert_lead", UpsertLead, "lead"),
        Tool("set_lead_score", SetLeadScore, "lead", renamed={"reason": "score_reason"}),
        Tool("assign_owner", AssignOwner, "lead", renamed={"reason": "owner_reason"}),
        Tool("create_task", CreateTask, "task"),
        Tool("post_message", PostMessage, "message", target="messenger", exposed=False),
    )
}
