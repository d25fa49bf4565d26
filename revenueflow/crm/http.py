"""CRM_PROVIDER=http: any system that takes PUT and GET on {base}/records/{type}/{record_key}.

PUT `{"fields": {…}}` sets the named fields (201 created, 200 updated); GET reads (200, 404). Both give `{id, fields}`.
An account may have `owner_id` and `opportunity_owner_ids` (of open opportunities, newest first), as ids of reps.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError

from revenueflow.crm.base import Accounts, CrmRecord, own
from revenueflow.domain.action import shared_record_key
from revenueflow.errors import OutcomeUnknown, UpstreamRejected
from revenueflow.resilience.upstream import HttpUpstream


class _Answer(BaseModel):
    id: str
    fields: dict[str, Any]


class HttpCrm:
    """A CRM behind plain HTTP."""

    name = "http"

    def __init__(self, upstream: HttpUpstream) -> None:
        self._upstream = upstream

    async def put(self, object_type: str, key: UUID, fields: dict[str, Any]) -> CrmRecord:
        """Creates or updates. One try: what is to be tried again is for the ledger to say."""
        answer = await self._upstream.request("PUT", _path(object_type, key), json={"fields": fields}, tries=1)
        try:
            return _record(answer.data)
        except ValidationError:
            raise OutcomeUnknown(self.name, "malformed") from None

    async def get(self, object_type: str, key: UUID) -> CrmRecord | None:
        """Reads by our key. One try: each request has its place in the CRM's limit, and its word in the breaker."""
        answer = await self._upstream.request("GET", _path(object_type, key), allow=(200, 404), tries=1)
        if answer.status == 404:
            return None
        try:
            return _record(answer.data)
        except ValidationError:
            raise UpstreamRejected(self.name, "malformed") from None

    def normal(self, object_type: str, fields: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """It keeps what it gets."""
        return fields

    async def accounts_of(self, domain: str) -> Accounts:
        """It can be read by key only: the account that has ours."""
        return own(await self.get("account", shared_record_key("account", domain)))


def _path(object_type: str, key: UUID) -> str:
    return f"/records/{object_type}/{key}"


def _record(data: object) -> CrmRecord:
    answer = _Answer.model_validate(data)
    return CrmRecord(crm_id=answer.id, fields=answer.fields)
