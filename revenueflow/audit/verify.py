"""Recomputes all that the trail claims of itself, and compares it with what was signed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from revenueflow.audit import notes
from revenueflow.audit.events import plain
from revenueflow.audit.merkle import Tree
from revenueflow.audit.notes import Verifier
from revenueflow.audit.trail import leaf_hash
from revenueflow.clock import utcnow
from revenueflow.db import audit_log
from revenueflow.db.direct import Connection

MOST_TOLD: Final = 1000
LATE: Final = timedelta(hours=1)
"""An event is sealed within seconds. One whose time lies further back than this was not written then."""


class Kind(StrEnum):
    """What was found."""

    ALTERED = "event_altered"
    MISSING = "event_missing"
    UNSEALED = "event_not_waiting"
    BACKDATED = "event_backdated"
    GAP = "leaf_missing"
    UNSIGNED = "checkpoint_forged"
    ROOT = "root_differs"
    CUT = "rolled_back"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `seq` is a place in the tree, `size` that of a checkpoint."""

    kind: Kind
    event_id: str | None = None
    seq: int | None = None
    size: int | None = None


@dataclass(slots=True)
class Report:
    """What was looked at, and what is wrong; the first 1,000 problems are named, all are counted."""

    events: int = 0
    sealed: int = 0
    signed: int = 0
    checkpoints: int = 0
    outside: int = 0
    found: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        """True if nothing is wrong."""
        return not self.found

    def add(self, problem: Problem) -> None:
        """Counts a problem."""
        self.found += 1
        if len(self.problems) < MOST_TOLD:
            self.problems.append(problem)


async def verify(connection: Connection, verifiers: Sequence[Verifier], outside: Iterable[str] = ()) -> Report:
    """Looks at every event, every place and every checkpoint. `outside` are the notes of the checkpoint file.

    Needs a snapshot. Events younger than the last checkpoint are only as safe as Postgres itself.
    """
    report = Report()
    roots = await _roots(connection, verifiers, outside, report)
    size = await _tree(connection, roots, report)
    for signed in roots:
        if signed > size:
            report.add(Problem(Kind.CUT, size=signed))
    report.signed = max((signed for signed in roots if signed <= size), default=0)
    async for row in audit_log.unsealed(connection):
        _waiting(row, report)
    for event_id in await audit_log.vanished(connection):
        report.add(Problem(Kind.MISSING, str(event_id)))
    return report


async def _roots(
    connection: Connection, verifiers: Sequence[Verifier], outside: Iterable[str], report: Report
) -> dict[int, set[bytes]]:
    """The roots that were signed, by the size of the tree."""
    roots: dict[int, set[bytes]] = {}
    keys = tuple(verifiers)
    for row in await audit_log.checkpoints(connection):
        report.checkpoints += 1
        found = notes.read(row["note"], keys)
        if found is None or (found.size, found.root) != (row["tree_size"], row["root_hash"]):
            report.add(Problem(Kind.UNSIGNED, size=row["tree_size"]))
        else:
            roots.setdefault(found.size, set()).add(found.root)
    for note in outside:
        report.outside += 1
        found = notes.read(note, keys)
        if found is None:
            report.add(Problem(Kind.UNSIGNED))
        else:
            roots.setdefault(found.size, set()).add(found.root)
    return roots


async def _tree(connection: Connection, roots: dict[int, set[bytes]], report: Report) -> int:
    """Goes through the places in order; returns how many there are."""
    tree, latest, now, expected = Tree(), None, utcnow(), 0
    async for row in audit_log.sealed(connection):
        if row["seq"] != expected:
            report.add(Problem(Kind.GAP, seq=expected))
        expected = row["seq"] + 1
        tree.add(row["sealed_hash"])
        latest = _event(row, latest, now, report)
        signed = roots.get(tree.size)
        if signed is not None and signed != {tree.root}:
            report.add(Problem(Kind.ROOT, size=tree.size))
    report.sealed = tree.size
    return tree.size


def _event(row: Any, latest: datetime | None, now: datetime, report: Report) -> datetime | None:
    if row["id"] is None:
        report.add(Problem(Kind.MISSING, str(row["event_id"]), row["seq"]))
        return latest
    report.events += 1
    if not row["sealed_hash"] == row["leaf_hash"] == leaf_hash(plain(row)):
        report.add(Problem(Kind.ALTERED, str(row["id"]), row["seq"]))
    if latest and row["ts"] < latest - LATE:
        report.add(Problem(Kind.BACKDATED, str(row["id"]), row["seq"]))
    # A time in the future must not make all that follow look old.
    return latest if latest and (row["ts"] < latest or row["ts"] > now) else row["ts"]


def _waiting(row: Any, report: Report) -> None:
    report.events += 1
    event_id: UUID = row["id"]
    if row["leaf_hash"] != leaf_hash(plain(row)):
        report.add(Problem(Kind.ALTERED, str(event_id)))
    elif not row["pending"]:
        report.add(Problem(Kind.UNSEALED, str(event_id)))
