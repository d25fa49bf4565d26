"""The first analyst that answers wins; why the others did not is kept."""

from __future__ import annotations

from collections.abc import Sequence

from revenueflow.analysis.base import Analyst
from revenueflow.analysis.prompt import Prompt
from revenueflow.domain.base import Value
from revenueflow.domain.claim import Analysis
from revenueflow.errors import Unavailable, UpstreamError


class Failure(Value):
    """An analyst that did not answer: a short stable `reason`, and whether another try later may help."""

    analyst: str
    model: str
    reason: str
    retryable: bool
    retry_after: float | None = None


async def analyse(prompt: Prompt, analysts: Sequence[Analyst]) -> tuple[Analysis, tuple[Failure, ...]]:
    """Asks in order. Raises Unavailable if none answers: the rules analyst as the last one rules it out."""
    failures: list[Failure] = []
    for analyst in analysts:
        try:
            return await analyst.analyse(prompt), tuple(failures)
        except UpstreamError as error:
            failures.append(_failure(analyst, error))
    raise Unavailable("no analyst answered: " + ", ".join(f"{f.analyst} {f.reason}" for f in failures))


def _failure(analyst: Analyst, error: UpstreamError) -> Failure:
    return Failure(
        analyst=analyst.name,
        model=analyst.model,
        reason=error.reason,
        retryable=error.retryable,
        retry_after=error.retry_after,
    )
