"""Who a lead is, without saying it: an HMAC of the strongest identity that the sender gave.

Ids are computed, not looked up: the same delivery gets the same ids with or without a database.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from hashlib import sha256
from uuid import UUID

from uuid_utils.compat import uuid5

DELIVERY_NAMESPACE = UUID("0b6f8d8a-52a5-5a0e-9a5b-6b1f0d6f7c01")
LEAD_NAMESPACE = UUID("0b6f8d8a-52a5-5a0e-9a5b-6b1f0d6f7c02")

_EMAIL = re.compile(r"[^@\s<>\"(),;:\\]+@(?:[^@\s<>\"(),;:\\.]+\.)+[^@\s<>\"(),;:\\.]{2,}")
_LINKEDIN = re.compile(r"linkedin\.com/in/([^/?#\s]+)", re.IGNORECASE)


def normalise_email(text: str | None) -> str | None:
    """Trimmed, NFC, lower case; None if it has not the form of an address. No look-up of the domain."""
    folded = unicodedata.normalize("NFC", text or "").strip().lower()
    return folded if len(folded) <= 254 and _EMAIL.fullmatch(folded) else None


def normalise_linkedin(text: str | None) -> str | None:
    """The profile's name in a linkedin.com/in/ URL, lower case; None for anything else."""
    found = _LINKEDIN.search(text or "")
    return found.group(1).lower() if found else None


class IdentityKey:
    """Derives identities with a secret key, so that a stolen table can't be searched for known emails."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def derive(self, kind: str, value: str) -> str:
        """64 hex digits for an identity of this kind (`email`, `linkedin`, `hubspot`, `import`, …)."""
        return self.digest(f"{kind}\n{value}".encode()).hex()

    def digest(self, data: bytes) -> bytes:
        """HMAC-SHA-256 of data that may be personal: equal data can be recognised, not read."""
        return hmac.digest(self._secret, data, sha256)


def lead_id(identity: str, campaign_id: str) -> UUID:
    """The lead of an identity in a campaign."""
    return uuid5(LEAD_NAMESPACE, f"{identity}\n{campaign_id}")


def delivery_id(source: str, delivery_key: str) -> UUID:
    """The delivery that a source names by this key."""
    return uuid5(DELIVERY_NAMESPACE, f"{source}\n{delivery_key}")
