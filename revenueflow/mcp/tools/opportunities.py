"""Tools on opportunities. A lead may have several, each with a short name of its own."""

from __future__ import annotations

from pydantic import Field
from typing_extensions import override

from revenueflow.mcp.tools.base import ADDS, Currency, Day, Domain, Line, Minor, Slug, Text, Tool, ToolArgs


class _OfOpportunity(ToolArgs):
    opportunity: Slug = Field("main", description="which of the lead's opportunities")

    @override
    def slot(self) -> str:
        return self.opportunity


class CreateOpportunity(_OfOpportunity):
    """Creates an opportunity for a lead, in a stage that policy.toml allows at the start. Denied if there is one under
    this name."""

    name: Line
    stage: Slug
    close_on: Day = Field(strict=False, description="the day on which it is expected to close")
    amount_minor: Minor | None = None
    currency: Currency | None = None
    domain: Domain | None = Field(None, description="the account that it belongs to")

    @override
    def account(self) -> str | None:
        return self.domain


class UpdateOpportunityStage(_OfOpportunity):
    """Moves an opportunity to another stage. Only transitions of policy.toml are allowed: a denial names the next
    ones."""

    stage: Slug
    reason: Text | None = None


TOOLS = (
    Tool("create_opportunity", CreateOpportunity, "opportunity", ADDS, creates=True, moves="stage"),
    Tool(
        "update_opportunity_stage",
        UpdateOpportunityStage,
        "opportunity",
        renamed={"reason": "stage_reason"},
        follows=True,
        moves="stage",
    ),
)
