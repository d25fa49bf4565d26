"""What the REST vendors' answers have in common: 200 with an object, 202 later, 404 unknown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from revenueflow.enrichment.base import Fact, Findings, Refused, Status
from revenueflow.enrichment.mapping import Field, read
from revenueflow.errors import UpstreamRejected
from revenueflow.resilience.upstream import Answer


class Part(NamedTuple):
    """A part of an answer, and the table that reads it."""

    root: str
    fields: tuple[Field, ...]


def findings(upstream: str, answer: Answer, parts: Iterable[Part], *, pending_seconds: float) -> Findings:
    """The findings in an answer. `pending_seconds` is the pause after a 202 that names none.

    Raises UpstreamRejected (`malformed`) for a 200 that is not an object.
    """
    if answer.status == 202:
        return Findings(status=Status.PENDING, retry_after=answer.retry_after or pending_seconds)
    if answer.status != 200:
        return Findings(status=Status.NOT_FOUND)
    if not isinstance(answer.data, dict):
        raise UpstreamRejected(upstream, "malformed")
    facts: list[Fact] = []
    refused: list[Refused] = []
    for part in parts:
        read_facts, read_refused = read(answer.data, part.root, part.fields)
        facts += read_facts
        refused += read_refused
    status = Status.FOUND if facts or refused else Status.NOT_FOUND
    return Findings(status=status, facts=tuple(facts), refused=tuple(refused))
