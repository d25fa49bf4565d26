"""CRM_PROVIDER=mock: a CRM in our own Postgres, for trying things out without one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from revenueflow.crm.base import Accounts, CrmRecord, own
from revenueflow.db import mock_crm
from revenueflow.db.direct import Direct
from revenueflow.domain.action import shared_record_key


class MockCrm:
    """Keeps records in the table mock_crm_records."""

    name = "mock"

    def __init__(self, direct: Direct) -> None:
        self._direct = direct

    async def put(self, object_type: str, key: UUID, fields: dict[str, Any]) -> CrmRecord:
        """Creates or updates a record."""
        async with self._direct.connection() as connection:
            return CrmRecord(**await mock_crm.put(connection, object_type, key, fields))

    async def get(self, object_type: str, key: UUID) -> CrmRecord | None:
        """Reads a record."""
        async with self._direct.connection() as connection:
            found = await mock_crm.get(connection, object_type, key)
        return CrmRecord(**found) if found else None

    def normal(self, object_type: str, fields: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """It keeps what it gets."""
        return fields

    async def accounts_of(self, domain: str) -> Accounts:
        """All its accounts are ours."""
        return own(await self.get("account", shared_record_key("account", domain)))
