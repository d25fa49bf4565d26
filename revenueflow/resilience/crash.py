"""Named places at which a fault test can kill this process, before and after every write.

Inert unless REVENUEFLOW_CRASH_AT is set to `name` or `name:n` (the n-th time that the place is passed). Then the
process ends as by `kill -9`: nothing is flushed, nothing is told.
"""

from __future__ import annotations

import os
import signal

from revenueflow.errors import ConfigurationError

POINTS = {
    "ingress.before_commit": "a group of deliveries is about to be written",
    "ingress.after_commit": "the group is on disk, nobody has its answer yet",
    "spool.before_write": "deliveries are about to be appended to the spool",
    "spool.after_write": "they are appended, not synced yet",
    "spool.after_sync": "they are synced, nobody has the answer yet",
    "drain.before_commit": "spooled deliveries are about to be written to Postgres",
    "drain.after_commit": "they are in Postgres, their segment is still there",
    "drain.after_delete": "their segment is deleted",
    "relay.before_mark": "due jobs are about to be marked as rung",
    "relay.after_mark": "they are marked, the ring is not sent yet",
    "relay.after_ring": "the ring is sent",
    "claim.before_commit": "a worker is about to claim jobs",
    "claim.after_commit": "it has claimed them and done nothing else",
    "lookup.before_call": "a question to a provider is claimed and its price reserved, it is not asked yet",
    "lookup.after_call": "the answer is there, nothing of it is written",
    "analysis.before_call": "a prompt is claimed and its most reserved, it is not sent yet",
    "analysis.after_call": "the model has answered, nothing of it is written",
    "checkpoint.before_commit": "steps have ended, nothing of it is written",
    "checkpoint.after_commit": "their results are written, the next steps have not begun",
    "release.before_commit": "runs are about to give their leases up",
    "release.after_commit": "they have given them up",
    "scoring.before_commit": "stored leads are scored anew, nothing of it is written",
    "scoring.after_commit": "a batch of them is written, the next one has not begun",
    "action.before_plan": "writes to the outside are about to be planned",
    "action.after_plan": "they are planned and marked as sent, the sockets are not written yet",
    "action.before_send": "writes that were not executed are about to be marked as sent again",
    "action.after_send": "they are marked, the sockets are not written yet",
    "action.after_call": "the answer to a write is there, nothing of it is written",
    "action.before_settle": "the outcome of writes is about to be written",
    "action.after_settle": "it is written",
}

_armed: tuple[str, int] | None = None
_passed = 0


def arm(setting: str | None) -> None:
    """Obeys REVENUEFLOW_CRASH_AT from now on. Raises ConfigurationError for a name that does not exist."""
    global _armed, _passed
    _armed, _passed = (_parse(setting) if setting else None), 0


def crash_point(name: str) -> None:
    """Dies here if this is the armed place and it was passed often enough."""
    if _armed is not None and _armed[0] == name:
        _die_at(_armed[1])


def _die_at(times: int) -> None:
    global _passed  # noqa: PLW0603
    _passed += 1
    if _passed >= times:
        os.kill(os.getpid(), signal.SIGKILL)


def _parse(setting: str) -> tuple[str, int]:
    name, _, times = setting.partition(":")
    if name not in POINTS or not (times or "1").isdecimal() or int(times or 1) < 1:
        raise ConfigurationError(
            "REVENUEFLOW_CRASH_AT: must be name or name:n with n of 1 or more; "
            "`revenueflow doctor --crash-points` lists the names"
        )
    return name, int(times or 1)
