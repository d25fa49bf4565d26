"""What reps and the team are told about leads that wait: a rep with a Slack id directly, at most once each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from revenueflow.domain.action import CallStatus, ToolResult
from revenueflow.mcp.call import Call, Caller
from revenueflow.pipeline.context import Services
from revenueflow.pipeline.messages import LONGEST, plain
from revenueflow.routing.reps import Rep

Row = Mapping[str, Any]


class SlaMessages:
    """Posts through the guard, under keys made of the timer: what was told before a restart is not told again."""

    def __init__(self, services: Services, trace_id: str) -> None:
        self._services = services
        self._caller = Caller("sla", "pipeline", trace_id=trace_id)

    async def remind(self, one: Row, lead: Row) -> ToolResult | None:
        """Reminds the owner directly; in the channel if there is no Slack id, or Slack refuses it.

        None without Slack.
        """
        channel = self._services.slack_channel
        if channel is None:
            return None
        text = [
            f"{one['tier'].title()} lead waits for a first touch: {company(lead)}, score {lead['score']}",
            f"Owner: {plain(one['owner_name'])}, until {_time(one['due_at'])}",
            f"Lead {lead['id']}",
        ]
        if direct := await self._slack_id(one["owner_id"]):
            result = await self._post(one, "reminder", direct, text)
            if result.status is not CallStatus.FAILED:
                return result
        return await self._post(one, "reminder/channel", channel, text)

    async def passed_on(self, one: Row, lead: Row, before: str | None) -> None:
        """Tells the channel, the new owner, and `before`, the id of the one who had it."""
        channel = self._services.slack_channel
        if channel is None:
            return
        about = f"{company(lead)}, score {lead['score']}"
        why, tier = plain(one["reason"]), one["tier"].title()
        team = [f"{tier} lead passed on: {about}", f"Owner: {plain(one['owner_name'])} ({why})"]
        await self._post(one, "notice", channel, [*team, f"Lead {lead['id']}"])
        if direct := await self._slack_id(one["owner_id"]):
            yours = [f"{tier} lead is yours now: {about}", f"Until {_time(one['due_at'])} ({why})"]
            await self._post(one, "notice/new", direct, [*yours, f"Lead {lead['id']}"])
        if before and (direct := await self._slack_id(before)):
            gone = [f"{tier} lead is not yours any more: {about}", f"Owner: {plain(one['owner_name'])} ({why})"]
            await self._post(one, "notice/old", direct, [*gone, f"Lead {lead['id']}"])

    async def _slack_id(self, rep_id: str) -> str | None:
        rep: Rep | None = (await self._services.roster.rules()).by_id.get(rep_id)
        return rep.slack_id if rep else None

    async def _post(self, one: Row, kind: str, place: str, lines: list[str]) -> ToolResult:
        args = {"lead_id": one["lead_id"], "channel": place, "text": "\n".join(lines)[:LONGEST]}
        return await self._services.registry.call(Call("post_message", args, self._caller, f"{one['id']}/{kind}"))


def company(lead: Row) -> str:
    """What to call a lead, of which little may be known."""
    return plain(lead["company"] or lead["domain"] or "unknown company")


def _time(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%d %H:%M UTC"))
