"""The tools, one file per group: what each takes and answers, and which record of the CRM it is about."""

from __future__ import annotations

from revenueflow.mcp.tools import accounts, activities, leads, opportunities
from revenueflow.mcp.tools.base import Tool as Tool
from revenueflow.mcp.tools.base import ToolArgs as ToolArgs

TOOLS: dict[str, Tool] = {
    tool.name: tool for tool in (*leads.TOOLS, *accounts.TOOLS, *opportunities.TOOLS, *activities.TOOLS)
}
"""Every tool by its name. Those that are `exposed` are for agents; what is not listed is denied."""
