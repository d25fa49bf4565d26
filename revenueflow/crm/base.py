"""What a CRM must be able to do for us: write by an external key, and read back by it."""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID

from revenueflow.domain.base import Value


class CrmRecord(Value):
    """A record as the CRM holds it: its own id, and the fields by our names."""

    crm_id: str
    fields: dict[str, Any]


class Crm(Protocol):
    """A CRM.

    `put` sets the named fields of the record with this key, makes it if there is none, and leaves other fields.
    `get` reads it back; None if there is none.

    Raises UpstreamUnavailable (clearly not executed), UpstreamRejected (refused; no use in trying again) or, from
    `put` only, OutcomeUnknown (it may have been executed).
    """

    name: str

    async def put(self, object_type: str, key: UUID, fields: dict[str, Any]) -> CrmRecord:
        """Creates or updates."""
        ...

    async def get(self, object_type: str, key: UUID) -> CrmRecord | None:
        """Reads by our key."""
        ...

    def normal(self, object_type: str, fields: dict[str, Any]) -> dict[str, Any]:
        """These fields as `get` would give them back: without what the CRM does not keep, cut where it cuts."""
        ...

    async def account_of(self, domain: str) -> CrmRecord | None:
        """An account with this domain, whoever made it; None if there is none, or several, or it can't be searched."""
        ...
