"""What a chat message may hold of what strangers wrote."""

from __future__ import annotations

from revenueflow.domain.text import harmless

LONGEST = 8000


def plain(text: str, longest: int = 300) -> str:
    """On one line, without links. Slack reads <…> as links and mentions, and what stands here strangers wrote."""
    return harmless(text, longest).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
