"""The guard's checks, one function each. Each passes the call on, or raises Denied; none repeats a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from revenueflow.mcp.call import Call, Checked, Denied
from revenueflow.mcp.policy import Policy
from revenueflow.mcp.tools import TOOLS, Tool

RESERVED = ("idempotency_key", "claims", "dry_run")
"""What a call says besides the tool's arguments: it is still among them only if it has a wrong form."""

MOST_PLACES = 20
"""Wrong arguments that a denial names."""

SameValue = Callable[[str, object, object], bool]


def writes_are_on(policy: Policy) -> None:
    """Kill switch and read-only."""
    if policy.kill_switch:
        raise Denied("kill_switch", "all writes are stopped", "an operator who clears kill_switch in policy.toml")
    if policy.read_only:
        raise Denied("read_only", "the system is read-only", "an operator who clears read_only in policy.toml")


def only_reads(call: Call) -> bool:
    """A tool that writes nothing is no matter for the switches that stop writes."""
    return call.tool in TOOLS and TOOLS[call.tool].reads


def tool_is_listed(call: Call) -> Tool:
    """Anything that is not on the list is denied."""
    tool = TOOLS.get(call.tool)
    if tool is None:
        raise Denied("unknown_tool", "there is no such tool", "one of: " + ", ".join(TOOLS))
    return tool


def arguments_fit(call: Call, tool: Tool) -> Checked:
    """The schema, exactly: unknown fields and coercion are refused."""
    try:
        args = tool.args.model_validate(call.args)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[:MOST_PLACES]
        places = "; ".join(_place(item["type"], item["loc"], tool) for item in wrong)
        raise Denied("invalid_arguments", places, f"the input schema of {tool.name}") from None
    return Checked(call, tool, args)


def _place(kind: str, path: tuple[int | str, ...], tool: Tool) -> str:
    if path and path[0] in RESERVED and kind == "extra_forbidden":
        return f"/{path[0]}: wrong_form"
    # A name that the schema does not have is the caller's own text: it is not repeated.
    known = bool(path) and path[0] in tool.args.model_fields
    return f"/{'/'.join(map(str, path)) if known else '?'}: {kind}"


def role_may(checked: Checked, policy: Policy) -> None:
    """The caller's role has the tool."""
    role = checked.call.caller.role
    if checked.tool.name not in policy.roles.get(role, []):
        raise Denied("role", f"role {role} may not use {checked.tool.name}", "a role that policy.toml gives this tool")


def fields_may(checked: Checked, policy: Policy) -> None:
    """The caller's role may give these arguments."""
    role, tool = checked.call.caller.role, checked.tool.name
    allowed = policy.fields.get(role, {}).get(tool)
    given = checked.args.model_fields_set - {"lead_id"}
    if allowed is not None and (refused := sorted(f"/{name}" for name in given if f"/{name}" not in allowed)):
        raise Denied("field", f"role {role} may not write {', '.join(refused)}", "one of: " + ", ".join(allowed))


def lead_is_its_own(checked: Checked) -> None:
    """A run writes about its own lead."""
    lease = checked.call.caller.lease
    if lease and lease.lead_id != checked.args.lead_id:
        raise Denied("other_lead", "the run is over another lead", "the lead of this run")


def key_is_given(checked: Checked) -> None:
    """Agents and people name their write; the pipeline's key follows from its lease. A read needs none."""
    if checked.tool.reads:
        return
    if checked.call.caller.lease is None and not checked.call.idempotency_key:
        raise Denied("idempotency_key_missing", "the call has no idempotency key", "an idempotency_key")


def needed_claims(checked: Checked, policy: Policy) -> dict[str, UUID]:
    """JSON Pointer -> claim id, for the grounded fields that the call writes. Denied if one names no claim."""
    if checked.call.caller.role not in ("pipeline", "agent"):
        return {}
    written = checked.tool.fields(checked.args)
    pointers = [p for p in policy.grounded.get(checked.tool.name, []) if written.get(p.lstrip("/")) is not None]
    for pointer in pointers:
        if pointer not in checked.call.claims:
            raise Denied("ungrounded", f"{pointer} names no claim", "the id of a supported claim of this lead")
    return {pointer: checked.call.claims[pointer] for pointer in pointers}


def claims_carry(
    checked: Checked, needed: Mapping[str, UUID], found: Mapping[UUID, Mapping[str, Any]], same: SameValue
) -> None:
    """Each grounded field is backed by a supported claim of the same lead with an equal normalised value."""
    written = checked.tool.fields(checked.args)
    for pointer, claim_id in needed.items():
        field = pointer.lstrip("/")
        claim = found.get(claim_id)
        if claim is None or claim["lead_id"] != checked.args.lead_id:
            raise Denied("ungrounded", f"{pointer} names a claim that this lead does not have", "a claim of this lead")
        if claim["verdict"] != "supported" or claim["field"] != field:
            raise Denied("ungrounded", f"{pointer} names a claim that does not support it", "a supported claim")
        if not same(field, claim["value"], written[field]):
            raise Denied("ungrounded", f"{pointer} differs from the value of its claim", "the value of the claim")
