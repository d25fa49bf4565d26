"""Slack: `chat.postMessage`. Errors come as HTTP 200 with `ok: false`."""

from __future__ import annotations

from revenueflow.errors import OutcomeUnknown, UpstreamRejected, UpstreamUnavailable
from revenueflow.resilience.upstream import HttpUpstream

PLAIN = {"mrkdwn": False, "parse": "none", "link_names": False, "unfurl_links": False, "unfurl_media": False}
"""Text stays text: no markup, no mentions, no previews of pages."""
_TRANSIENT = frozenset({"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org"})
_IN_DOUBT = frozenset({"internal_error", "fatal_error", "request_timeout"})


class Slack:
    """Posts messages as a bot."""

    name = "slack"

    def __init__(self, upstream: HttpUpstream) -> None:
        self._upstream = upstream

    async def post(self, channel: str, text: str) -> str:
        """Sends a message; its id is `channel/ts`."""
        message = {"channel": channel, "text": text} | PLAIN
        answer = await self._upstream.request("POST", "/api/chat.postMessage", json=message, tries=1)
        if not isinstance(answer.data, dict):
            raise OutcomeUnknown(self.name, "malformed")
        if answer.data.get("ok") is not True:
            raise _error(str(answer.data.get("error", "unknown")))
        return f"{answer.data.get('channel', channel)}/{answer.data.get('ts')}"


def _error(code: str) -> UpstreamRejected | UpstreamUnavailable | OutcomeUnknown:
    reason = code if code.isascii() and code.replace("_", "").isalnum() and len(code) < 60 else "unknown"
    if reason in _IN_DOUBT:
        return OutcomeUnknown("slack", reason)
    kind = UpstreamUnavailable if reason in _TRANSIENT else UpstreamRejected
    return kind("slack", reason)
