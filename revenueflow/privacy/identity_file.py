"""Reads the identity key from its file."""

from __future__ import annotations

from revenueflow.errors import ConfigurationError
from revenueflow.privacy.identity import IdentityKey
from revenueflow.settings import KeySettings

SHORTEST = 32


def identity_key(keys: KeySettings) -> IdentityKey:
    """The key from which identities are derived. Raises ConfigurationError if its file is missing or too short."""
    path = keys.identity_key_file
    if path is None:
        raise ConfigurationError(
            "REVENUEFLOW_IDENTITY_KEY_FILE: is not set; `revenueflow keys identity --out FILE` makes one; back it up"
        )
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        kind = "can't be read" if isinstance(error, OSError) else "holds no hexadecimal digits"
        raise ConfigurationError(f"REVENUEFLOW_IDENTITY_KEY_FILE: the file {kind}") from None
    if len(secret) < SHORTEST:
        raise ConfigurationError("REVENUEFLOW_IDENTITY_KEY_FILE: needs 32 bytes or more (64 hexadecimal digits)")
    return IdentityKey(secret)
