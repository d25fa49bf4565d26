"""Settings of the MCP server."""

from __future__ import annotations

from revenueflow.settings.base import Group, HttpUrl, Names, env


class McpSettings(Group):
    """Who may reach `/mcp` besides the public URL and loopback, and who gives out tokens for it."""

    hosts: Names = env("REVENUEFLOW_MCP_HOSTS", (), about="further Host headers, by commas; host:* for any port")
    origins: Names = env("REVENUEFLOW_MCP_ORIGINS", (), about="further Origin headers of browsers, separated by commas")
    issuer: HttpUrl | None = env(
        "REVENUEFLOW_MCP_ISSUER",
        None,
        about="authorization server whose tokens are accepted too",
    )
