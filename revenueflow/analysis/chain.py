"""The first analyst that answers wins; why the others did not is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple

from revenueflow.analysis.base import Analyst, Asker, Question
from revenueflow.analysis.models.rules import NAME as RULES
from revenueflow.analysis.paid import A, Paid, Read, Told
from revenueflow.analysis.prompt import Prompt
from revenueflow.domain.base import Value
from revenueflow.domain.claim import Analysis
from revenueflow.errors import Unavailable, UpstreamError
from revenueflow.telemetry import metrics


class Failure(Value):
    """An analyst that did not answer: a short stable `reason`, and whether another try later may help."""

    analyst: str
    model: str
    reason: str
    retryable: bool
    retry_after: float | None = None


async def analyse(
    prompt: Prompt, analysts: Sequence[Analyst], asker: Asker | None = None
) -> tuple[Analysis, tuple[Failure, ...]]:
    """Asks in order. Raises Underway; Unavailable if none answers: the rules analyst as the last one rules that out."""
    failures: list[Failure] = []
    for analyst in analysts:
        try:
            return await analyst.analyse(prompt, asker), tuple(failures)
        except UpstreamError as error:
            metrics.model_failures.labels(analyst.name, error.reason).inc()
            failures.append(_failure(analyst, error))
    raise Unavailable("no analyst answered: " + ", ".join(f"{f.analyst} {f.reason}" for f in failures))


class Answered(NamedTuple, Generic[A]):
    """An answer, and the analyst and model that gave it."""

    analyst: str
    model: str
    told: Told[A]


async def ask(
    question: Question, models: Sequence[Paid], asker: Asker, read: Read[A]
) -> tuple[Answered[A] | None, tuple[Failure, ...]]:
    """Asks in order; None if no model answers. Raises Underway, and Unavailable if Postgres does not answer."""
    failures: list[Failure] = []
    for one in models:
        try:
            return Answered(one.name, one.model, await one.ask(question, asker, read)), tuple(failures)
        except UpstreamError as error:
            metrics.model_failures.labels(one.name, error.reason).inc()
            failures.append(_failure(one, error))
    return None, tuple(failures)


MENDABLE = frozenset({"bad_key", "bad_request", "forbidden", "quota"})
"""Refusals that a changed setting mends. Not those that say something of the prompt."""


def outage(analysis: Analysis, failures: Sequence[Failure]) -> Failure | None:
    """The failure for which the rules stood in, if a model may well answer later."""
    if analysis.analyst != RULES:
        return None
    return next((one for one in failures if one.retryable or one.reason in MENDABLE), None)


def _failure(analyst: Analyst | Paid, error: UpstreamError) -> Failure:
    return Failure(
        analyst=analyst.name,
        model=analyst.model,
        reason=error.reason,
        retryable=error.retryable,
        retry_after=error.retry_after,
    )
