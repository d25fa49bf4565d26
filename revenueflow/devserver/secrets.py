"""The development secrets of a data directory: made once, kept, the same at every start."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from revenueflow.db import api_keys
from revenueflow.devserver.files import write_private_json

FILE = "secrets.json"
SOURCES = ("marketo", "hubspot", "lead")


@dataclass(frozen=True, slots=True)
class Secrets:
    """API keys by role, webhook secrets by source, and the identity key (hex)."""

    keys: Mapping[str, str]
    webhooks: Mapping[str, str]
    identity: str


def ensure(data_dir: Path) -> Secrets:
    """Reads the secrets of a data directory, or makes them."""
    path = data_dir / FILE
    if not path.exists():
        write_private_json(path, _fresh())
    stored = orjson.loads(path.read_bytes())
    return Secrets(stored["keys"], stored["webhooks"], stored["identity"])


def _fresh() -> dict[str, object]:
    webhooks = {source: secrets.token_urlsafe(24) for source in SOURCES}
    webhooks["lead"] = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    return {
        "keys": {role: api_keys.new_key() for role in api_keys.ROLES},
        "webhooks": webhooks,
        "identity": secrets.token_hex(32),
    }
