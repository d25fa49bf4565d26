"""The way of a lead, in order. This is the table of contents of the program.

A step is `async def step(lead, context) -> Outcome`. Its result is a checkpoint: a finished step is not run again,
unless its version, or anything that came before it, has changed. A pure step only decides, from what came before it and
what is known when it runs: its checkpoint shares the commit of the steps around it, and until then it may run again. (A
turn that routing takes is written down at once, and is the lead's own: running again takes no other.)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from revenueflow.domain.base import Value
from revenueflow.domain.lead import Lead
from revenueflow.domain.outcome import Outcome
from revenueflow.pipeline import analyse, capture, enrich, follow_up, ground, notify, record, route, score
from revenueflow.pipeline.context import Context


@dataclass(frozen=True, slots=True)
class Step:
    """One stage: its name, version, function, and the type of its result."""

    name: str
    version: int
    run: Callable[[Lead, Context], Awaitable[Outcome]]
    result: type[Value]
    pure: bool = False


STEPS = (
    Step("capture", 1, capture.step, capture.Captured),
    Step("enrich", 1, enrich.step, enrich.Enriched),
    Step("analyse", 1, analyse.step, analyse.Analysed),
    Step("ground", 2, ground.step, ground.Grounded, pure=True),
    Step("score", 1, score.step, score.Scored, pure=True),
    Step("route", 2, route.step, route.Routed, pure=True),
    Step("record", 1, record.step, record.Recorded),
    Step("notify", 1, notify.step, notify.Notified),
    Step("follow_up", 1, follow_up.step, follow_up.FollowedUp),
)
