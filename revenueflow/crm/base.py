"""What a CRM must be able to do for us: write by an external key, and read back by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol
from uuid import UUID

from revenueflow.domain.base import Value


class CrmRecord(Value):
    """A record as the CRM holds it: its own id, and the fields by our names."""

    crm_id: str
    fields: dict[str, Any]


class Accounts(Value):
    """The accounts of a company, and who works on them.

    `account` is ours, else the only one: None if there is none, or several. `owners` are those of all `count` accounts,
    `opportunity_owners` those of open opportunities, what was changed last first; each once, as ids of reps, or as the
    CRM's own where no rep of ours has that user. `not_understood`: fields about owners that are not what they should
    be.
    """

    count: int = 0
    account: CrmRecord | None = None
    owners: tuple[str, ...] = ()
    opportunity_owners: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()


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

    async def accounts_of(self, domain: str) -> Accounts:
        """The accounts with this domain, whoever made them; ours alone where there is no search."""
        ...


def accounts(
    found: Sequence[CrmRecord], *, ours: str | None = None, opportunity_owners: Iterable[str | None] = ()
) -> Accounts:
    """What several accounts come to; `ours` is the id of the one with our key."""
    account = next((one for one in found if one.crm_id == ours), found[0] if len(found) == 1 else None)
    owners = [one.fields.get("owner_id") for one in found]
    return Accounts(
        count=len(found),
        account=account,
        owners=_each(owners),
        opportunity_owners=_each(opportunity_owners),
        not_understood=() if all(map(_is_owner, owners)) else ("owner_id",),
    )


def own(record: CrmRecord | None) -> Accounts:
    """The account under our key, which says itself who has its open opportunities."""
    if record is None:
        return Accounts()
    named = record.fields.get("opportunity_owner_ids")
    listed = named if isinstance(named, list) else []
    found = accounts([record], ours=record.crm_id, opportunity_owners=listed)
    if named is None or (isinstance(named, list) and all(map(_is_owner, listed))):
        return found
    return found.model_copy(update={"not_understood": (*found.not_understood, "opportunity_owner_ids")})


def _is_owner(given: Any) -> bool:
    """Nobody is one of the answers."""
    return given is None or isinstance(given, str)


def _each(ids: Iterable[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in ids if isinstance(one, str) and one))
