"""Which change of state a call makes, and whether the tables of policy.toml allow it from where the record is now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from revenueflow.mcp.call import Checked, Denied
from revenueflow.mcp.policy import Policy, Transitions

CONVERTED = "converted"


def needs_the_record(checked: Checked) -> bool:
    """Whether the call is allowed depends on what the CRM holds."""
    return checked.tool.creates or checked.tool.follows


def allowed(checked: Checked, policy: Policy, held: Mapping[str, Any] | None) -> None:
    """`held` is the record as the CRM has it, None if it has none. Raises Denied, which names the next values."""
    tool = checked.tool
    if tool.creates and held is not None:
        raise Denied("record_exists", f"there is such a record, and {tool.name} changes none", "another name, or none")
    if tool.follows and held is None:
        raise Denied("record_missing", "the CRM has no such record", f"a call that creates the {tool.object_type}")
    if tool.moves:
        _may_move(_wanted(checked), _current(tool.moves, held or {}), _table(checked, policy))


def _table(checked: Checked, policy: Policy) -> Transitions:
    return policy.opportunity_stage if checked.tool.object_type == "opportunity" else policy.lead_status


def _wanted(checked: Checked) -> str:
    """Where the call leads. A lead becomes converted by convert_lead alone, which does more than to set a word."""
    if checked.tool.moves == CONVERTED:
        return CONVERTED
    wanted = str(checked.tool.fields(checked.args)[checked.tool.moves or ""])
    if wanted == CONVERTED and checked.tool.object_type == "lead":
        raise Denied("transition", "this status is not set, a lead is converted", "convert_lead")
    return wanted


def _current(field: str, held: Mapping[str, Any]) -> str | None:
    if held.get(CONVERTED) is True:
        return CONVERTED
    found = held.get("status" if field == CONVERTED else field)
    return found if isinstance(found, str) else None


def _may_move(wanted: str, current: str | None, table: Transitions) -> None:
    if current is not None and current not in table.next:
        # What a person wrote into the CRM is not repeated.
        raise Denied("transition", "the record is in a state that policy.toml does not know", "a person in the CRM")
    may = table.start if current is None else table.next[current]
    if wanted not in may and (wanted != current or current == CONVERTED):
        raise Denied("transition", f"not allowed from {current or 'the start'}", f"one of: {', '.join(may) or 'none'}")
