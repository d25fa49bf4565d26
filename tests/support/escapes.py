"""What an agent may try to get around the guard, and the code of the denial that each must end in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from revenueflow.mcp.call import Call
from tests.support.calls import CANARY, agent

MINE, OTHER = UUID(int=1), UUID(int=2)
OWNER = {"lead_id": str(MINE), "owner_id": "dana-whitfield", "owner_name": "Dana", "reason": "r"}
UPSERT = {"lead_id": str(MINE), "campaign_id": "spring"}


def made(tool: str, args: dict[str, Any], key: str | None = "k", **more: Any) -> Callable[[], Call]:
    return lambda: Call(tool, args, agent(), key, **more)


ESCAPES: dict[str, tuple[Callable[[], Call], str]] = {
    "a tool that is not listed": (made("run_sql", {"query": CANARY}), "unknown_tool"),
    "delete_lead": (made("delete_lead", {"lead_id": str(MINE)}), "unknown_tool"),
    "delete_contact": (made("delete_contact", {"lead_id": str(MINE)}), "unknown_tool"),
    "a listed tool in capitals": (made("ASSIGN_OWNER", OWNER), "unknown_tool"),
    "a listed tool with a space": (made("assign_owner ", OWNER), "unknown_tool"),
    "a listed tool with an invisible sign": (made("assign_owner\u200b", OWNER), "unknown_tool"),
    "a tool of another role": (made("set_lead_score", {
        "lead_id": str(MINE), "score": 99, "tier": "hot", "intent": "high", "profile": "p", "reason": "r",
    }), "role"),
    "our own messenger": (made("post_message", {"lead_id": str(MINE), "channel": "#x", "text": CANARY}), "role"),
    "an extra field": (made("assign_owner", OWNER | {"is_admin": True}), "invalid_arguments"),
    "an extra field named like a method": (made("assign_owner", OWNER | {"__class__": CANARY}), "invalid_arguments"),
    "a field below another": (made("assign_owner", OWNER | {"reason": {"text": CANARY}}), "invalid_arguments"),
    "a list for one value": (made("assign_owner", OWNER | {"owner_id": [CANARY]}), "invalid_arguments"),
    "a number for text": (made("assign_owner", OWNER | {"owner_id": 7}), "invalid_arguments"),
    "a list of leads": (made("assign_owner", OWNER | {"lead_id": [str(MINE), str(OTHER)]}), "invalid_arguments"),
    "a wildcard for a lead": (made("assign_owner", OWNER | {"lead_id": "*"}), "invalid_arguments"),
    "no lead": (made("assign_owner", {n: v for n, v in OWNER.items() if n != "lead_id"}), "invalid_arguments"),
    "very long text": (made("assign_owner", OWNER | {"reason": "x" * 8001}), "invalid_arguments"),
    "a field that its role may not write": (made("upsert_lead", UPSERT | {"email": CANARY}), "field"),
    "several such fields": (made("upsert_lead", UPSERT | {"name": CANARY, "phone": CANARY}), "field"),
    "a grounded field without a claim": (made("upsert_lead", UPSERT | {"industry": "software"}), "ungrounded"),
    "a claim that does not exist": (
        made("upsert_lead", UPSERT | {"headcount": 9000}, claims={"/headcount": uuid4()}), "ungrounded",
    ),
    "no key": (made("assign_owner", OWNER, None), "idempotency_key_missing"),
}  # fmt: skip
