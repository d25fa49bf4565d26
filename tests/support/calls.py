"""Guarded calls as tests make them, and what they leave behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from revenueflow.db.jobs import Lease
from revenueflow.domain.action import ToolResult
from revenueflow.mcp.call import Call, Caller
from revenueflow.mcp.registry import Registry
from revenueflow.settings import General
from tests.support.house import House
from tests.support.policy import agent_tools, short_policy

CANARY = "canary.person@canary.example"


def agent(name: str = "agent:a") -> Caller:
    """An agent with a name."""
    return Caller(name, "agent", trace_id="trace-1")


def operator(name: str = "key:o") -> Caller:
    """A person with a name."""
    return Caller(name, "operator", trace_id="trace-1")


def admin(name: str = "key:admin") -> Caller:
    """A person whom no rule asks to wait for another."""
    return Caller(name, "admin", trace_id="trace-1")


def pipeline(lease: Lease) -> Caller:
    """The pipeline under a lease."""
    return Caller("pipeline", "pipeline", lease, lease.trace_id)


def upsert(lead_id: UUID, caller: Caller, key: str | None = "k1", *, claims: Any = None, **args: Any) -> Call:
    """`upsert_lead`."""
    given = {"lead_id": str(lead_id), "campaign_id": "default", **args}
    return Call("upsert_lead", given, caller, idempotency_key=key, claims=claims or {})


def owner(lead_id: UUID, caller: Caller, key: str | None = "k1", to: str = "dana-whitfield") -> Call:
    """`assign_owner`."""
    return Call("assign_owner", {"lead_id": lead_id, "owner_id": to, "owner_name": to, "reason": "r"}, caller, key)


def message(lead_id: UUID, caller: Caller) -> Call:
    """`post_message`."""
    return Call("post_message", {"lead_id": lead_id, "channel": "#hot-leads", "text": "Hot lead"}, caller)


def with_policy(home: House, folder: Path, *changes: tuple[str, str]) -> None:
    """Lets the house start with a policy.toml that differs in some lines; every role may use every tool."""
    text = agent_tools(short_policy(), "upsert_lead", "assign_owner")
    text += '\n[agents."agent:a"]\ncampaigns = ["*"]\n'
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "policy.toml").write_text(text)
    home.settings = home.settings.model_copy(update={"general": General(config_dir=folder)})


def add_lead(home: House, campaign: str = "default", domain: str | None = None) -> UUID:
    """A lead that was processed."""
    lead = uuid4()
    home.rows(
        """INSERT INTO leads (id, campaign_id, identity_key, version, status, received_at, domain)
           VALUES ($1::uuid, $2, $1::uuid::text, 1, 'processed', now(), $3)""", lead, campaign, domain,
    )  # fmt: skip
    return lead


def add_claim(home: House, lease: Lease, **changes: Any) -> UUID:
    """A supported claim that the headcount is 240, with some columns changed."""
    row: dict[str, Any] = {
        "id": uuid4(), "lead_id": lease.lead_id, "job_id": lease.job_id, "ref": f"C{uuid4().int % 10**6}",
        "field": "headcount", "value": "240", "statement": "240 people.", "citations": "[]", "verdict": "supported",
        "score": 1.0, "decided_by": "test", **changes,
    }  # fmt: skip
    marks = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    home.rows(f"INSERT INTO claims ({', '.join(row)}) VALUES ({marks})", *row.values())
    claim_id: UUID = row["id"]
    return claim_id


@asynccontextmanager
async def calling(home: House) -> AsyncIterator[Callable[[Call], Any]]:
    """`call` of a registry."""
    async with home.registry() as registry:
        yield registry.call


async def once(home: House, call: Call) -> ToolResult:
    """One call through a registry of its own, as after a restart."""
    async with home.registry() as registry:
        return await registry.call(call)


async def settle(home: House, registry: Registry, quiet: float = 0) -> int:
    """One turn of the background reconciler, for everything that was sent before now."""
    home.rows("UPDATE actions SET sent_at = sent_at - interval '1 second'")
    return await registry.reconcile(quiet=quiet)


def events(home: House) -> list[dict[str, Any]]:
    """All audit events about calls, oldest first."""
    return home.rows("SELECT * FROM audit_events WHERE action <> 'policy.loaded' ORDER BY ts, id")


def states(home: House) -> list[str]:
    """The states of all actions, oldest first."""
    return [row["state"] for row in home.rows("SELECT state FROM actions ORDER BY planned_at")]
