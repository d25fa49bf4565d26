"""One arrival, understood or not, before it is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

from revenueflow.privacy.identity import (
    IdentityKey,
    delivery_id,
    lead_id,
    normalise_email,
    normalise_linkedin,
)
from revenueflow.sources.aliases import Understood


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery exactly as received, and what we understood of it.

    `delivery_key` is what the sender identifies it by. `understood` is None, and `reason` says why, when it goes to
    quarantine. `own_id` identifies the lead if it has neither email nor LinkedIn profile, or always when
    `own_id_first` is set.
    """

    source: str
    delivery_key: str
    raw: bytes
    content_type: str
    understood: Understood | None = None
    reason: str | None = None
    own_id: str | None = None
    own_id_first: bool = False
    body_sha256: bytes = field(default=b"")

    def digest(self) -> bytes:
        """SHA-256 of the raw bytes: tells a repeated delivery from another one under the same key."""
        return self.body_sha256 or sha256(self.raw).digest()


@dataclass(frozen=True, slots=True)
class Identified:
    """An arrival with its ids; `lead_id` is None in quarantine."""

    arrival: Arrival
    delivery_id: UUID
    lead_id: UUID | None
    identity_key: str | None
    reason: str | None


def identify(arrival: Arrival, key: IdentityKey) -> Identified:
    """Computes the ids. Without any identity the arrival goes to quarantine."""
    delivery = delivery_id(arrival.source, arrival.delivery_key)
    pair = _identity(arrival)
    if arrival.understood is None or pair is None:
        reason = arrival.reason or "no_identity"
        return Identified(arrival, delivery, None, None, reason)
    identity = key.derive(*pair)
    return Identified(arrival, delivery, lead_id(identity, arrival.understood.campaign_id), identity, None)


def _identity(arrival: Arrival) -> tuple[str, str] | None:
    if arrival.understood is None:
        return None
    form = arrival.understood.form
    own = (arrival.source, arrival.own_id) if arrival.own_id else None
    if own and arrival.own_id_first:
        return own
    if email := normalise_email(form.email):
        return "email", email
    if profile := normalise_linkedin(form.linkedin_url):
        return "linkedin", profile
    return own
