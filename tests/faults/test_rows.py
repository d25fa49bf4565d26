"""The bounded part of the fault campaign: `make faults` runs all rows with many seeds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults import oracle, rows
from tests.faults.rows import Run
from tests.faults.system import System, running

CRASHES = (
    "ingress.before_commit", "ingress.after_commit", "spool.after_sync", "relay.after_mark", "claim.after_commit",
    "checkpoint.before_commit", "lookup.after_call", "analysis.after_call", "action.after_plan", "action.after_call",
)  # fmt: skip
FAULTS = (
    "commit_answer_lost", "postgres_restarts", "redis_is_emptied", "redis_is_away", "worker_is_killed", "zombie",
    "poison", "crm_loses_answers",
)  # fmt: skip


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """One system for all rows: what one leaves behind must not disturb the next."""
    with running() as one:
        yield one
        assert oracle.leaks(one) == []
        assert oracle.audit_is_intact(one)


def nothing_lost_or_doubled(run: Run) -> None:
    assert run.leads > 0
    assert (run.lost, run.doubled, run.unknown) == (0, 0, 0), run


@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("point", CRASHES)
def test_a_process_dies_at(system: System, point: str) -> None:
    nothing_lost_or_doubled(rows.crash(system, point, seed=1))


@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("fault", FAULTS)
def test_fault(system: System, fault: str) -> None:
    nothing_lost_or_doubled(rows.FAULTS[fault](system, 1))
