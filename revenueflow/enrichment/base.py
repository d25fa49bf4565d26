"""What every enrichment provider is asked and answers. `waterfall` asks them; `wiring` chooses them.

A provider offers lookups: "the company of a domain", "the person of an address". One question to one lookup is what is
paid for, and kept: its answer serves every lead that has the same key.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import UUID

from pydantic import JsonValue
from uuid_utils.compat import uuid5

from revenueflow.domain.base import Value
from revenueflow.domain.evidence import Signal, Trust


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


class KeyKind(StrEnum):
    """What a lookup is made with: a company's registrable domain, or the address of a person there, in lower case."""

    DOMAIN = "domain"
    EMAIL = "email"


class Lookup(NamedTuple):
    """One kind of question that a provider answers, of which up to `largest` go into one call.

    `name` is as it stands in enrichment.toml; `signals` are all that the answer may hold.
    """

    name: str
    key: KeyKind
    signals: frozenset[Signal]
    largest: int = 1


class Question(NamedTuple):
    """One key to look up. `handle` is what the provider called an earlier answer of `pending`, if it gave it a name."""

    key: str
    handle: str | None = None


class Status(StrEnum):
    """`pending`: still looking, ask again later. `failed`: this question, not the whole call; `reason` says why."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    PENDING = "pending"
    FAILED = "failed"


class Findings(Value):
    """A provider's answer to one question. `retry_after` is in seconds; with `pending` it is always there.

    `charged` is what the provider says about it, in its own units (credits); None where it does not tell.
    """

    status: Status
    facts: tuple[Fact, ...] = ()
    refused: tuple[Refused, ...] = ()
    reason: str | None = None
    retry_after: float | None = None
    handle: str | None = None
    charged: float | None = None


def evidence_id(lead_id: UUID, run_key: str, provider: str, signal: Signal, path: str) -> UUID:
    """The id of one piece of evidence: the same each time a step is repeated within one run."""
    return uuid5(lead_id, f"{run_key}/{provider}/{signal.value}/{path}")


class EnrichmentProvider(Protocol):
    """One data vendor, or one directory of the customer's own."""

    @property
    def name(self) -> str:
        """As it stands in evidence, metrics and enrichment.toml."""

    @property
    def trust(self) -> Trust:
        """How its facts are weighed."""

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """What it can be asked."""

    async def look_up(self, lookup: Lookup, questions: Sequence[Question], /) -> Sequence[Findings]:
        """The findings for each question, in their order, by one call; `questions` are at most `lookup.largest`.

        It tries again by itself only what was clearly not executed. Raises UpstreamUnavailable, UpstreamRejected or
        OutcomeUnknown if the call as a whole failed; the reason is a short stable code.
        """
