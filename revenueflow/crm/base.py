"""What a CRM must be able to do for us: write by an external key, and read back by it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, Protocol
from uuid import UUID

from revenueflow.domain.base import Value

MOST_OWNERS: Final = 20
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")


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


def accounts(found: Sequence[CrmRecord], *, ours: str | None = None, opportunity_owners: object = ()) -> Accounts:
    """What several accounts come to; `ours` is the id of the one with our key.

    What a CRM says is not ours: an owner may be a name or an address there, and of any length.
    """
    account = next((one for one in found if one.crm_id == ours), found[0] if len(found) == 1 else None)
    owners = [one.fields.get("owner_id") for one in found]
    told = {"owner_id": owners, "opportunity_owner_ids": opportunity_owners}
    return Accounts(
        count=len(found),
        account=account,
        owners=_ids(owners),
        opportunity_owners=_ids(opportunity_owners),
        not_understood=tuple(name for name, given in told.items() if not _is_list_of_ids(given)),
    )


def own(record: CrmRecord | None) -> Accounts:
    """The account under our key, which says itself who has its open opportunities."""
    if record is None:
        return Accounts()
    named = record.fields.get("opportunity_owner_ids")
    return accounts([record], ours=record.crm_id, opportunity_owners=() if named is None else named)


def _ids(given: object) -> tuple[str, ...]:
    listed = given if isinstance(given, list | tuple) else ()
    return tuple(dict.fromkeys(one for one in listed if isinstance(one, str) and _ID.fullmatch(one)))[:MOST_OWNERS]


def _is_list_of_ids(given: object) -> bool:
    """Nobody is one of the answers."""
    if not isinstance(given, list | tuple):
        return False
    return all(one is None or (isinstance(one, str) and _ID.fullmatch(one)) for one in given)
