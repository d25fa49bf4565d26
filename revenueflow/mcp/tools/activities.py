"""Tools on what is to be done, what was done, and where the lead takes part."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from typing_extensions import override

from revenueflow.mcp.tools.base import ADDS, Line, Moment, Slug, Text, Tool, ToolArgs


class CreateTask(ToolArgs):
    """Creates a task for the lead's owner."""

    owner_id: Line
    subject: Line
    body: Text
    due_at: Moment = Field(strict=False)


class LogActivity(ToolArgs):
    """Notes in the CRM what happened with a lead: a call, an email, a meeting or a note."""

    kind: Literal["call", "email", "meeting", "note"]
    subject: Line
    body: Text
    happened_at: Moment = Field(strict=False)


class AddToCampaign(ToolArgs):
    """Makes the lead a member of a campaign in the CRM, once."""

    campaign: Line = Field(description="the campaign's id in the CRM")
    member_status: Slug = "sent"

    @override
    def slot(self) -> str:
        return self.campaign


class PostMessage(ToolArgs):
    """Posts a chat message to the team. Ours alone: not offered to MCP clients."""

    channel: Line
    text: Text


TOOLS = (
    Tool("create_task", CreateTask, "task", ADDS, each_call=True),
    Tool("log_activity", LogActivity, "activity", ADDS, each_call=True),
    Tool("add_to_campaign", AddToCampaign, "campaign_member", ADDS),
    Tool("post_message", PostMessage, "message", ADDS, target="messenger", exposed=False),
)
