"""Who somebody is in what we store: one identity, its leads in all campaigns, and the keys under which it is known."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from revenueflow.db import erasing, unplaced
from revenueflow.db.direct import Connection, Direct
from revenueflow.db.unplaced import Quarantined, Rejected
from revenueflow.enrichment.base import KeyKind
from revenueflow.enrichment.keys import digest
from revenueflow.errors import NotFound
from revenueflow.privacy.identity import IdentityKey, normalise_email, normalise_linkedin
from revenueflow.privacy.redaction import known_values
from revenueflow.privacy.searching import Person


@dataclass(frozen=True, slots=True)
class Identity:
    """One person. `keys` are its identity keys, `lookups` the HMACs of questions about its address."""

    leads: tuple[UUID, ...]
    keys: tuple[str, ...]
    lookups: tuple[bytes, ...]
    person: Person
    known: tuple[tuple[str, str], ...]


class Unplaced(NamedTuple):
    """What holds the person's address, number or profile, and belongs to no lead."""

    quarantined: list[Quarantined]
    rejected: list[Rejected]


async def identify(connection: Connection, key: IdentityKey, lead_id: UUID) -> Identity:
    """The person of a lead: also as a lead of other campaigns, and of sources that know it by another key.

    Raises NotFound.
    """
    keys = set(await erasing.identities_of(connection, lead_id))
    if not keys:
        raise NotFound("there is no lead with this id")
    emails: set[str] = set()
    while True:
        found = await erasing.known(connection, sorted(keys), sorted(emails))
        more_emails = {email for one in found if (email := normalise_email(one.email))}
        more = {one.identity_key for one in found} | {key.derive("email", email) for email in more_emails}
        more |= {key.derive("linkedin", slug) for one in found if (slug := normalise_linkedin(one.linkedin))}
        if more <= keys and more_emails <= emails:
            return _identity(key, lead_id, keys, emails, found)
        keys, emails = keys | more, emails | more_emails


def _identity(
    key: IdentityKey, lead_id: UUID, keys: set[str], emails: set[str], found: Sequence[erasing.Known]
) -> Identity:
    phones = {one.phone for one in found if one.phone}
    profiles = {one.linkedin for one in found if one.linkedin}
    names = {one.name for one in found if one.name}
    values = [pair for name in sorted(names) for pair in known_values(None, None, name)]
    return Identity(
        leads=tuple(sorted({lead_id, *(one.lead_id for one in found)})),
        keys=tuple(sorted(keys)),
        lookups=tuple(digest(key, KeyKind.EMAIL, email) for email in sorted(emails)),
        person=Person(sorted(emails), sorted(phones), sorted(profiles)),
        known=(*values, *(("email", one) for one in sorted(emails)), *(("phone", one) for one in sorted(phones))),
    )


async def unplaced_of(direct: Direct, person: Person) -> AsyncIterator[Unplaced]:
    """What is in quarantine or among the rejects about somebody, page by page."""
    if not person.is_anybody:
        return
    async for page in unplaced.quarantined(direct):
        if hits := [one for one in page if person.is_in(one.raw)]:
            yield Unplaced(hits, [])
    async for rows in unplaced.rejected(direct):
        if lines := [one for one in rows if person.is_in(one.raw)]:
            yield Unplaced([], lines)
