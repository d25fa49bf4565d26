"""Where a write goes: the CRM, which can be read back by key, or a messenger, which can't."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol, TypeVar
from uuid import UUID

from revenueflow.crm.base import Accounts, Crm, CrmRecord
from revenueflow.errors import UpstreamError, UpstreamRejected
from revenueflow.messaging.base import Messenger
from revenueflow.resilience.breaker import Breaker

BROKEN = frozenset({"bad_key", "forbidden", "quota", "status_401", "status_403"})
"""Refusals that say nothing of the write: the next one would be refused too."""

T = TypeVar("T")

Found = tuple[str, dict[str, Any]]
"""The id of a record in the CRM, and its fields by our names."""


class Target(Protocol):
    """The outside, seen from the guard."""

    readable: bool

    async def write(self, object_type: str, key: UUID, fields: dict[str, Any], /) -> str:
        """Makes the write; returns the id there. Raises as `Crm.put` does."""
        ...

    async def read(self, object_type: str, key: UUID, /) -> Found | None:
        """What is there: id and fields; None if nothing."""
        ...

    def normal(self, object_type: str, fields: dict[str, Any], /) -> dict[str, Any]:
        """The fields as they are read back."""
        ...


class CrmTarget:
    """Writes by our external key, so a write can be read back and repeated. The breaker is told of every call."""

    readable = True

    def __init__(self, crm: Crm, breaker: Breaker) -> None:
        self._crm = crm
        self._breaker = breaker

    async def write(self, object_type: str, key: UUID, fields: dict[str, Any], /) -> str:
        """Creates or updates the record with this key."""
        return (await self._watched(self._crm.put(object_type, key, fields))).crm_id

    async def read(self, object_type: str, key: UUID, /) -> Found | None:
        """Reads the record with this key."""
        return _found(await self._watched(self._crm.get(object_type, key)))

    def normal(self, object_type: str, fields: dict[str, Any], /) -> dict[str, Any]:
        """As the CRM keeps them."""
        return self._crm.normal(object_type, fields)

    async def accounts_of(self, domain: str) -> Accounts:
        """The accounts with this domain, whoever made them."""
        return await self._watched(self._crm.accounts_of(domain))

    async def _watched(self, exchange: Awaitable[T]) -> T:
        try:
            answer = await exchange
        except UpstreamError as error:
            await self._breaker.record(ok=not _is_broken(error))
            raise
        await self._breaker.record(ok=True)
        return answer


def _found(record: CrmRecord | None) -> Found | None:
    return (record.crm_id, record.fields) if record else None


def _is_broken(error: UpstreamError) -> bool:
    """Whether the CRM, rather than the write, is what is wrong. Being too fast is our fault."""
    return error.reason in BROKEN if isinstance(error, UpstreamRejected) else error.reason != "rate_limited"


class MessengerTarget:
    """A write that can't carry a key is not repeated: it stays unknown, and shows as that."""

    readable = False

    def __init__(self, messenger: Messenger | None) -> None:
        self._messenger = messenger

    async def write(self, _type: str, _key: UUID, fields: dict[str, Any], /) -> str:
        """Posts the message."""
        if self._messenger is None:
            raise UpstreamRejected("messenger", "not_configured")
        return await self._messenger.post(fields["channel"], fields["text"])

    async def read(self, _type: str, _key: UUID, /) -> Found | None:
        """Nothing can be read back."""
        return None

    def normal(self, _type: str, fields: dict[str, Any], /) -> dict[str, Any]:
        """As they are."""
        return fields
