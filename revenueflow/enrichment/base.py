"""What every enrichment provider is asked and answers. `waterfall` asks them; `wiring` chooses them."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol
from uuid import UUID

from pydantic import JsonValue
from uuid_utils.compat import uuid5

from revenueflow.domain.base import Value
from revenueflow.domain.evidence import Signal, Trust
from revenueflow.errors import UpstreamRejected


class Subject(Value):
    """Whom to ask about. `email` only if it is an address at `domain`: vendors are not sent a private one."""

    lead_id: UUID
    email: str | None = None
    domain: str | None = None
    company: str | None = None


class Fact(Value):
    """One value that a provider gave, and where it stands in its answer (RFC 9535 JSONPath)."""

    signal: Signal
    path: str
    value: JsonValue


class Refused(Value):
    """A value that was not taken: `wrong_type`, `out_of_range`, `too_long` or `bad_characters`."""

    signal: Signal
    path: str
    reason: str


class Status(StrEnum):
    """`pending`: still looking, ask again later. `skipped`: nothing that the provider could be asked with."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    PENDING = "pending"
    SKIPPED = "skipped"


class Findings(Value):
    """A provider's answer. `retry_after` is in seconds, with `pending`."""

    status: Status
    facts: tuple[Fact, ...] = ()
    refused: tuple[Refused, ...] = ()
    retry_after: float | None = None


def evidence_id(lead_id: UUID, run_key: str, provider: str, signal: Signal, path: str) -> UUID:
    """The id of one piece of evidence: the same each time a step is repeated within one run."""
    return uuid5(lead_id, f"{run_key}/{provider}/{signal.value}/{path}")


class EnrichmentProvider(Protocol):
    """One data vendor, or one directory of the customer's own."""

    @property
    def name(self) -> str:
        """As it stands in evidence, metrics and settings."""

    @property
    def trust(self) -> Trust:
        """How its facts are weighed."""

    @property
    def signals(self) -> frozenset[Signal]:
        """All that it may know; what is missed if it fails."""

    async def find(self, subject: Subject, /) -> Findings:
        """Raises UpstreamUnavailable or UpstreamRejected; the reason is a short stable code."""


class Unconfigured:
    """A provider without a key: it costs no call, and its signals are reported as missed."""

    trust = Trust.VENDOR

    def __init__(self, name: str, signals: frozenset[Signal]) -> None:
        self.name = name
        self.signals = signals

    async def find(self, _: Subject, /) -> Findings:
        """Always raises UpstreamRejected with the reason `not_configured`."""
        raise UpstreamRejected(self.name, "not_configured")
