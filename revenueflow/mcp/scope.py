"""Which leads an agent is for: those of its campaigns, which policy.toml lists under the name of its API key."""

from __future__ import annotations

from uuid import UUID

from revenueflow.db import leads
from revenueflow.db.direct import Direct
from revenueflow.mcp.call import Caller, Checked
from revenueflow.mcp.policy import Policy


class Scope:
    """Asks Postgres for the campaign of a lead, and the policy whose it is."""

    def __init__(self, direct: Direct, policy: Policy) -> None:
        self._direct = direct
        self._policy = policy

    async def holds(self, caller: Caller, lead_id: UUID, campaign: str | None = None) -> bool:
        """Whether the lead, and `campaign` if one is given, are the caller's to work on, taken as an agent."""
        async with self._direct.connection() as connection:
            campaigns = {await leads.campaign_of(connection, lead_id)} | ({campaign} if campaign else set())
        return all(self._policy.covers(caller.name or caller.id, one) for one in campaigns)

    async def holds_call(self, checked: Checked) -> bool:
        """The same for a call."""
        campaign: str | None = getattr(checked.args, "campaign_id", None)
        return await self.holds(checked.call.caller, checked.args.lead_id, campaign)

    async def may_read(self, caller: Caller, lead_id: UUID) -> bool:
        """People may read every lead, agents those of their campaigns."""
        return caller.role != "agent" or await self.holds(caller, lead_id)
