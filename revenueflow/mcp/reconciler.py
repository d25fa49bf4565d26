"""Settles writes whose outcome is open and that no job is working on any more, whatever became of their job."""

from __future__ import annotations

from revenueflow.audit import trail
from revenueflow.db import controls, unsettled
from revenueflow.db.session import Database
from revenueflow.errors import RevenueFlowError, Unavailable
from revenueflow.mcp.ledger import Ledger
from revenueflow.mcp.policy import Policy
from revenueflow.mcp.results import Action
from revenueflow.mcp.tools import TOOLS
from revenueflow.telemetry import logs

log = logs.get("reconciler")
HOLDING = (controls.PAUSED, controls.WRITES_STOPPED)
READABLE = tuple(name for name, tool in TOOLS.items() if tool.target == "crm" and not tool.reads)


async def reconcile_open(database: Database, ledger: Ledger, policy: Policy, *, quiet: float) -> int:
    """Reads back each write that has been open for `quiet` seconds; returns how many were looked at.

    While the policy, `pause` or the stop of writes is on it still reads, and sends nothing. Raises Unavailable.
    """
    async with database.transaction() as session:
        found = await unsettled.open_actions(session, READABLE, quiet=quiet)
        held = any(control["name"] in HOLDING for control in await controls.current(session))
    for action in found:
        await _reconcile(ledger, action, may_send=policy.writes_are_on and not held)
    return len(found)


async def _reconcile(ledger: Ledger, action: Action, *, may_send: bool) -> None:
    subject = trail.Subject(action["lead_id"], action["job_id"])
    try:
        await ledger.reconcile(action, TOOLS[action["tool"]].target, subject, None, may_send=may_send)
    except Unavailable:
        raise
    except RevenueFlowError as error:  # one write that can't be settled must not keep the others from it
        log.warning("not_reconciled", action_key=str(action["action_key"]), code=error.code)
