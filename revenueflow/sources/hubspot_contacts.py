"""Reads a contact from HubSpot, for events that only name one."""

from __future__ import annotations

from revenueflow.errors import UpstreamRejected
from revenueflow.resilience.upstream import HttpUpstream
from revenueflow.sources.aliases import Understood, understand

PROPERTIES = (
    "email,firstname,lastname,jobtitle,company,country,phone,mobilephone,website,industry,numberofemployees,"
    "message,hs_linkedin_url,city,state"
)


class HubSpotContacts:
    """The contacts API, version 2026-09 (the v3 paths end in 2027)."""

    def __init__(self, upstream: HttpUpstream) -> None:
        self._upstream = upstream

    async def fetch(self, contact_id: str) -> Understood | None:
        """The contact's properties in our words; None if HubSpot has no such contact (any more).

        Raises UpstreamUnavailable or UpstreamRejected.
        """
        answer = await self._upstream.request(
            "GET",
            f"/crm/objects/2026-09/contacts/{contact_id}",
            params={"properties": PROPERTIES},
            allow=(200, 404),
        )
        if answer.status == 404:
            return None
        properties = answer.data.get("properties") if isinstance(answer.data, dict) else None
        if not isinstance(properties, dict):
            raise UpstreamRejected("hubspot", "malformed")
        return understand(properties)
