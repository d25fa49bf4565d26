"""What the guard costs: processor time of a call besides the action's own commits.

    python -m bench.guard

A CRM that answers at once, real Postgres and Valkey. `floor` plans, sends and settles the same actions through the
ledger's commits alone, in the same run, in turns with the guarded calls. CPU is that of this process, per call.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import cycle
from typing import Any
from uuid import UUID, uuid4

from redis.asyncio import Redis

from bench.stack import print_json, stack
from revenueflow.audit.trail import Subject
from revenueflow.crm.base import Accounts, CrmRecord
from revenueflow.db.actions import PlannedAction, Settled
from revenueflow.db.direct import Direct
from revenueflow.db.engine import engine_for
from revenueflow.db.session import Database
from revenueflow.domain.action import CallStatus
from revenueflow.domain.outcome import AuditEntry
from revenueflow.mcp import policy
from revenueflow.mcp.call import Call, Caller
from revenueflow.mcp.policy import AgentRule, Limits, Policy
from revenueflow.mcp.registry import Registry
from revenueflow.mcp.writes import Planning, Settling, Writes
from revenueflow.privacy.identity import IdentityKey
from revenueflow.settings import DatabaseSettings

MANY = 10**6
LEADS = 1000
_LEAD = """
    INSERT INTO leads (id, campaign_id, identity_key, version, status, received_at)
    VALUES ($1::uuid, 'default', $1::uuid::text, 1, 'processed', now())
"""


class Instant:
    """A CRM that answers at once."""

    name = "instant"

    async def put(self, _type: str, _key: UUID, fields: dict[str, Any]) -> CrmRecord:
        """It is there."""
        return CrmRecord(crm_id="1", fields=fields)

    async def get(self, _type: str, _key: UUID) -> CrmRecord | None:
        """Nothing is there."""
        return None

    def normal(self, _type: str, fields: dict[str, Any]) -> dict[str, Any]:
        """It would keep what it gets."""
        return fields

    async def accounts_of(self, _domain: str) -> Accounts:
        """None is there."""
        return Accounts()


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=1000, help="calls of each kind in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--at-once", type=int, default=16)
    args = parser.parse_args()
    with stack() as one:
        print_json(asyncio.run(_measure(one.backends.urls, args)))


async def _measure(urls: dict[str, str], args: argparse.Namespace) -> dict[str, Any]:
    settings = DatabaseSettings(url=urls["DATABASE_URL"])
    redis: Redis = Redis.from_url(urls["REDIS_URL"])
    async with engine_for(settings, application="bench") as engine, Direct(settings, application="bench") as direct:
        registry = Registry(
            Database(engine), direct, Instant(), None, _policy(), IdentityKey(bytes(32)), redis,
            same=lambda _field, one, other: one == other, settle_seconds=30,
        )  # fmt: skip
        leads = await _leads(direct)
        writes = Writes(direct)
        kinds: dict[str, Callable[[], Awaitable[object]]] = {
            "floor": lambda: _floor(writes),
            "operator": lambda: _made(registry, _call(Caller("key:o", "operator"), lead=next(leads))),
            "agent": lambda: _made(registry, _call(Caller("key:a", "agent", name="bench"), lead=next(leads))),
            "denied": lambda: registry.call(_call(Caller("key:o", "operator"), extra=1)),
        }
        for make in kinds.values():
            await _run(make, 200, args.at_once)
        rounds = [
            {kind: await _run(make, args.calls, args.at_once) for kind, make in kinds.items()}
            for _ in range(args.rounds)
        ]
    await redis.aclose()
    cpu = {kind: round(statistics.median(one[kind] for one in rounds) * 1000, 3) for kind in kinds}
    over = {
        kind: round(statistics.median(one[kind] - one["floor"] for one in rounds) * 1000, 3)
        for kind in ("operator", "agent")
    }
    return {"calls": args.calls, "rounds": args.rounds, "at_once": args.at_once, "cpu_ms": cpu, "overhead_ms": over}


async def _run(make: Callable[[], Awaitable[object]], calls: int, at_once: int) -> float:
    """Seconds of processor time per call."""

    async def lane() -> None:
        for _ in range(calls // at_once):
            await make()

    began = time.process_time()
    await asyncio.gather(*(lane() for _ in range(at_once)))
    return (time.process_time() - began) / (calls // at_once * at_once)


async def _leads(direct: Direct) -> Iterator[UUID]:
    """Leads that there are, again and again."""
    ids = [uuid4() for _ in range(LEADS)]
    async with direct.transaction() as connection:
        await connection.executemany(_LEAD, [(one,) for one in ids])
    return cycle(ids)


async def _made(registry: Registry, call: Call) -> None:
    result = await registry.call(call)
    if result.status is not CallStatus.CONFIRMED:
        raise SystemExit(f"a call was not made: {result.status}")


async def _floor(writes: Writes) -> None:
    key, lead, subject = uuid4(), uuid4(), Subject()
    args = _call(Caller("key:o", "operator")).args
    action = PlannedAction(key, uuid4(), "lead", "assign_owner", 0, "key:o", args, b"h", None, lead)
    await writes.plan(Planning(action, subject))
    entry = AuditEntry(
        "crm.assign_owner", "confirmed", {"how": "answered", "crm_id": "1"}, actor="guard", action_key=key
    )
    await writes.settle(Settling(Settled(key, "confirmed", "1", '{"how": "answered"}'), subject, entry))


def _call(caller: Caller, lead: UUID | None = None, **more: object) -> Call:
    args = {
        "lead_id": str(lead or uuid4()),
        "owner_id": "dana-whitfield",
        "owner_name": "Dana Whitfield",
        "reason": "by territory",
    }
    return Call("assign_owner", args | more, caller, uuid4().hex)


def _policy() -> Policy:
    ours = policy.load()
    limits = Limits(per_lead=MANY, per_caller=MANY, per_crm=MANY)
    agents = {"bench": AgentRule(campaigns=("*",))}
    return ours.model_copy(
        update={"limits": limits, "agents": agents, "roles": ours.roles | {"agent": ["assign_owner"]}}
    )


if __name__ == "__main__":
    main()
