"""What a step can come to. The runner alone turns an outcome into a change of the job.

Done      the step's result is its checkpoint; the next step runs
Snooze    not now, and nobody's fault (breaker open, quota, a vendor says "pending"): no attempt is spent
Retry     it failed in a way that another try may mend: an attempt is spent
Park      a person must look: no attempt is spent
Reject    this lead will not be processed; the reason is kept
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from revenueflow.domain.base import Value
from revenueflow.domain.claim import JudgedClaim
from revenueflow.domain.evidence import Evidence
from revenueflow.domain.review import Questions
from revenueflow.domain.sales import Timer
from revenueflow.domain.scoring import Score


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that was decided. `detail` holds codes, ids, counts and redacted values only."""

    action: str
    outcome: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    actor: str = "pipeline"
    action_key: UUID | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows that belong to a step's result: the runner writes them in the same commit as the checkpoint.

    `questions` is what a judged run leaves to a person; None if nothing was judged. `score` joins the lead's history.
    `timer` starts the owner's time for a first touch.
    """

    lead: Mapping[str, object] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    claims: tuple[JudgedClaim, ...] = ()
    audit: tuple[AuditEntry, ...] = ()
    questions: Questions | None = None
    score: Score | None = None
    timer: Timer | None = None

    def then(self, later: Changes) -> Changes:
        """Both, as one: of a column that both set, the later value."""
        return Changes(
            {**self.lead, **later.lead},
            self.evidence + later.evidence,
            self.claims + later.claims,
            self.audit + later.audit,
            later.questions or self.questions,
            later.score or self.score,
            later.timer or self.timer,
        )


@dataclass(frozen=True, slots=True)
class Done:
    """Finished. `result` is a value that JSON can hold; a finished step is not run again."""

    result: Value
    changes: Changes = Changes()


@dataclass(frozen=True, slots=True)
class Snooze:
    """Come back at `until`."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Come back after `after` seconds."""

    after: float
    reason: str


@dataclass(frozen=True, slots=True)
class Park:
    """Wait for a person. `changes` is what is known of the lead so far."""

    reason: str
    changes: Changes = Changes()


@dataclass(frozen=True, slots=True)
class Reject:
    """End here."""

    reason: str


Outcome = Done | Snooze | Retry | Park | Reject
