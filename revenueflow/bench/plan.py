"""What a load generator is told: whom to send to, how many leads, and how fast."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from pydantic import Field

from revenueflow.domain.base import Value
from revenueflow.errors import ConfigurationError


class Source(StrEnum):
    """The webhooks that can be measured: Marketo's, and the one for signed leads of any sender."""

    MARKETO = "marketo"
    LEAD = "lead"


class Target(Value):
    """A webhook of a running instance, and the secret that it asks for."""

    host: str
    port: int
    source: Source
    secret: str = Field(repr=False)

    @classmethod
    def at(cls, url: str, source: Source, secret: str) -> Target:
        """The webhook of the API at `url`. Raises ConfigurationError for anything but plain http."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ConfigurationError("--url: must be http://host:port; measure the API itself, not a proxy with TLS")
        return cls(host=parts.hostname, port=parts.port or 80, source=source, secret=secret)


class Plan(Value):
    """One run. Exactly one of `requests` and `duration` (seconds) ends it; `rate` is leads per second.

    Without `rate` it is a closed loop: each connection sends its next lead when the last one is answered. `window`: so
    many leads are in the system at a time, which the database at `database_url` is asked for. `limit`: seconds after
    which the run ends whatever is still unanswered.
    """

    target: Target
    campaign: str
    connections: int = 64
    warmup: int = 0
    requests: int | None = None
    duration: float | None = None
    rate: float | None = None
    window: int | None = None
    database_url: str | None = Field(default=None, repr=False)
    limit: float = 600


def fresh_campaign() -> str:
    """A campaign that no other run has: its leads can be told from all others."""
    return f"bench-{secrets.token_hex(4)}"


class Instance(Value):
    """A running instance, as a `--ports-file` describes it."""

    api: str
    webhook_secrets: Mapping[str, str] = Field(repr=False)
    database_url: str | None = Field(default=None, repr=False)
    pids: Mapping[str, int | list[int]] = {}

    @classmethod
    def read(cls, path: Path) -> Instance:
        """Raises ConfigurationError if the file is not one that `up --ports-file` writes."""
        try:
            told: dict[str, Any] = orjson.loads(path.read_bytes())
            return cls(**{name: told[name] for name in cls.model_fields if name in told})
        except (OSError, ValueError, TypeError):
            raise ConfigurationError("--ports-file: must be a file that `revenueflow up --ports-file` writes") from None

    def target(self, source: Source) -> Target:
        """One of its webhooks. Raises ConfigurationError if the file has no secret for it."""
        if source not in self.webhook_secrets:
            raise ConfigurationError(f"--ports-file: has no secret of the webhook {source}")
        return Target.at(self.api, source, self.webhook_secrets[source])

    def processes(self) -> dict[str, list[int]]:
        """Process ids by name."""
        return {name: [one] if isinstance(one, int) else list(one) for name, one in self.pids.items()}
