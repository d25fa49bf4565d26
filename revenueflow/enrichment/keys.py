"""Under which keys answers about a lead are kept: HMACs, the same for all providers."""

from __future__ import annotations

from revenueflow.enrichment.base import KeyKind, Subject
from revenueflow.privacy.identity import IdentityKey


def digest(key: IdentityKey, kind: KeyKind, value: str) -> bytes:
    """32 bytes for a domain or an address."""
    return key.digest(f"lookup\n{kind.value}\n{value}".encode())


def digests(key: IdentityKey, subject: Subject) -> list[bytes]:
    """All keys under which something may be kept about this lead and its company."""
    values = {KeyKind.DOMAIN: subject.domain, KeyKind.EMAIL: subject.email}
    return [digest(key, kind, value) for kind, value in values.items() if value]
