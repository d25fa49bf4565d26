"""What the REST vendors' answers have in common: 200 with an object, 202 later, 404 unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from revenueflow.domain.evidence import Signal
from revenueflow.enrichment.base import Fact, Findings, Question, Refused, Status
from revenueflow.enrichment.mapping import Field, read
from revenueflow.errors import UpstreamError, UpstreamRejected
from revenueflow.resilience.upstream import Answer

PENDING_SECONDS = 30.0
"""The pause after a "later" that names none."""


class Part(NamedTuple):
    """A part of an answer, and the table that reads it. `root` is its path ("$", "$.data[3].company")."""

    root: str
    fields: tuple[Field, ...]


def findings(upstream: str, answer: Answer, *parts: Part) -> Findings:
    """The findings in the answer to one question. Raises UpstreamRejected (`malformed`) for a 200 that is no object."""
    if answer.status == 202:
        return Findings(status=Status.PENDING, retry_after=answer.retry_after or PENDING_SECONDS)
    if answer.status != 200:
        return Findings(status=Status.NOT_FOUND)
    if not isinstance(answer.data, dict):
        raise UpstreamRejected(upstream, "malformed")
    return found(answer.data, *parts)


def found(data: JsonValue, *parts: Part) -> Findings:
    """The findings in these parts of an answer; NOT_FOUND if they hold nothing."""
    facts: list[Fact] = []
    refused: list[Refused] = []
    for part in parts:
        read_facts, read_refused = read(data, part.root, part.fields)
        facts += read_facts
        refused += read_refused
    status = Status.FOUND if facts or refused else Status.NOT_FOUND
    return Findings(status=status, facts=tuple(facts), refused=tuple(refused))


def refused(reason: str) -> Findings:
    """This question failed, the others of its call did not."""
    return Findings(status=Status.FAILED, reason=reason)


async def by_handle(
    questions: Sequence[Question], ask: Callable[[str | None, list[str]], Awaitable[list[Findings]]]
) -> list[Findings]:
    """The findings of all questions, in their order: those with the same handle, or with none, are asked together.

    If only some of several such groups fail, their questions have: what the others cost is not lost.
    """
    groups: dict[str | None, list[str]] = {}
    for question in questions:
        groups.setdefault(question.handle, []).append(question.key)

    async def answered(handle: str | None, keys: list[str]) -> list[Findings]:
        try:
            return await ask(handle, keys)
        except UpstreamError as error:
            if len(groups) == 1:
                raise
            return [refused(error.reason)] * len(keys)

    answers = await asyncio.gather(*(answered(handle, keys) for handle, keys in groups.items()))
    left = {handle: iter(findings) for handle, findings in zip(groups, answers, strict=True)}
    return [next(left[question.handle]) for question in questions]


def signals(fields: Iterable[Field]) -> frozenset[Signal]:
    """All that a table may give."""
    return frozenset(row.signal for row in fields)
