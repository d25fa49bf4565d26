"""A call of every tool that is exposed, with arguments that fit, and which record it is about."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from revenueflow.mcp.call import Call, Caller

DOMAIN = "larkvale-systems.example"
TIME = "2026-11-20T10:00:00Z"


class Sample(NamedTuple):
    """Arguments besides `lead_id`, the record's type, and what of it is written."""

    args: dict[str, Any]
    object_type: str
    written: dict[str, Any]


SAMPLES: dict[str, Sample] = {
    "upsert_lead": Sample({"campaign_id": "default", "name": "Dana Reyes"}, "lead", {"name": "Dana Reyes"}),
    "get_lead": Sample({}, "lead", {}),
    "set_lead_score": Sample(
        {"score": 70, "tier": "hot", "intent": "high", "profile": "grounded", "reason": "r"},
        "lead",
        {"score": 70, "tier": "hot", "score_reason": "r"},
    ),
    "update_lead_status": Sample({"status": "working", "reason": "called"}, "lead", {"status": "working"}),
    "assign_owner": Sample({"owner_id": "o1", "owner_name": "O", "reason": "r"}, "lead", {"owner_id": "o1"}),
    "convert_lead": Sample({"reason": "wants it"}, "lead", {"converted": True, "conversion_reason": "wants it"}),
    "match_account": Sample({"domain": DOMAIN}, "account", {}),
    "create_contact": Sample({"email": "d@x.example", "name": "Dana Reyes"}, "contact", {"email": "d@x.example"}),
    "create_opportunity": Sample(
        {
            "name": "40 seats",
            "stage": "prospecting",
            "close_on": "2026-12-24",
            "amount_minor": 4_000_00,
            "currency": "EUR",
        },
        "opportunity",
        {"stage": "prospecting", "close_on": "2026-12-24", "amount_minor": 4_000_00, "opportunity": "main"},
    ),
    "update_opportunity_stage": Sample({"stage": "qualification"}, "opportunity", {"stage": "qualification"}),
    "create_task": Sample(
        {"owner_id": "o1", "subject": "s", "body": "b", "due_at": TIME}, "task", {"subject": "s", "due_at": TIME}
    ),
    "log_activity": Sample(
        {"kind": "call", "subject": "s", "body": "b", "happened_at": TIME}, "activity", {"kind": "call"}
    ),
    "sync_firmographics": Sample({"domain": DOMAIN, "headcount": 240}, "account", {"domain": DOMAIN, "headcount": 240}),
    "add_to_campaign": Sample({"campaign": "701x"}, "campaign_member", {"campaign": "701x", "member_status": "sent"}),
}
ORDER = (
    "upsert_lead", "get_lead", "set_lead_score", "assign_owner", "update_lead_status", "match_account",
    "sync_firmographics", "create_contact", "create_opportunity", "update_opportunity_stage", "create_task",
    "log_activity", "add_to_campaign",
)  # fmt: skip
"""One after the other they all pass; `convert_lead` needs a qualified lead."""


def sample(tool: str, lead_id: UUID, caller: Caller, key: str | None = None, **changes: Any) -> Call:
    """A call with the sample's arguments, some of them changed. The key is the tool's name if none is given."""
    return Call(tool, {"lead_id": str(lead_id), **SAMPLES[tool].args, **changes}, caller, key or f"key-{tool}")
