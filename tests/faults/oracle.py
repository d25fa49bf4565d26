"""What must hold after every fault: acknowledged = processed + parked, one record per key, nothing open, no canary."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson

from revenueflow.audit.trail import leaf_hash
from revenueflow.clock import rfc3339
from tests.faults.system import PLAIN, System
from tests.faults.traffic import CANARY, Sent

SETTLED = "SELECT lead_id FROM jobs WHERE lead_id = ANY($1::uuid[]) AND state IN ('ready', 'leased')"
OPEN = """
    SELECT action_key, tool, state FROM actions
    WHERE lead_id = ANY($1::uuid[]) AND state NOT IN ('confirmed', 'superseded')
"""
UNREPEATABLE = "post_message"
"""A message to a chat carries no key: with its answer lost it is not sent again, and shows as unknown."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Counts after a fault."""

    leads: int
    lost: int
    doubled: int
    unknown: int
    settled_at: float


def judge(system: System, sent: Sent, *, seconds: float = 240.0, dead: int = 0) -> Judged:
    """Waits until everything that was acknowledged has come to its end, and counts what is wrong."""
    wanted = sorted(sent.leads)
    settled_at = _await_end(system, wanted, seconds)
    leads = {str(row["id"]): row["status"] for row in _of(system, "SELECT id, status FROM leads WHERE id", wanted)}
    good = [one for one in wanted if leads.get(one) in ("processed", "parked")]
    deliveries = {str(row["id"]) for row in _of(system, "SELECT id FROM deliveries WHERE lead_id", wanted)}
    lost = len(wanted) - len(good) - dead + len({ack.delivery_id for ack in sent.acks} - deliveries)
    left = [row for row in system.rows(OPEN, wanted) if row["tool"] != UNREPEATABLE]
    return Judged(len(wanted), lost, _doubled(system, good), len(left) + _reserved(system), settled_at)


def _await_end(system: System, leads: list[str], seconds: float) -> float:
    """Monotonic seconds at which nothing was left to do; at most `seconds` from now."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            spooled = any((system.data_dir / "spool").glob("*.spool"))
            if not spooled and not system.rows(SETTLED, leads) and not _open_actions(system, leads):
                return time.monotonic()
        except OSError:
            pass  # Postgres is not back yet
        time.sleep(0.05)
    return time.monotonic()


def _open_actions(system: System, leads: list[str]) -> bool:
    return any(
        row["tool"] != UNREPEATABLE and row["state"] in ("sent", "unknown", "planned")
        for row in system.rows(OPEN, leads)
    )


def _reserved(system: System) -> int:
    """Scopes in which money is still set aside for calls that nobody makes any more."""
    return len(system.rows("SELECT scope FROM spend WHERE reserved_usd <> 0"))


def _of(system: System, query: str, leads: list[str]) -> list[dict[str, Any]]:
    return system.rows(f"{query} = ANY($1::uuid[])", leads)


def _doubled(system: System, leads: list[str]) -> int:
    """Records in the CRM beyond one for each lead and type, and leads without theirs."""
    records = system.sandbox("/_sandbox/ledger?upstream=crm")["records"]
    keys = Counter((record["type"], record["record_key"]) for record in records)
    own = Counter(record["fields"].get("lead_id") for record in records if record["type"] == "lead")
    processed = {str(row["id"]) for row in _of(system, "SELECT id FROM leads WHERE status = 'processed' AND id", leads)}
    return sum(count - 1 for count in keys.values()) + sum(abs(own[lead] - 1) for lead in processed)


def audit_is_intact(system: System) -> bool:
    """Whether every event still fits its leaf hash."""
    for event in system.rows("SELECT * FROM audit_events"):
        stored = event.pop("leaf_hash")
        plain = {name: _plain(value) for name, value in event.items()}
        if leaf_hash(plain) != stored:
            return False
    return True


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return orjson.loads(value) if isinstance(value, str) and value.startswith("{") else value
    return rfc3339(value) if hasattr(value, "astimezone") else str(value)


def leaks(system: System) -> list[str]:
    """Where the canary is found, of the places where it must not be."""
    found = [path.name for path in (system.data_dir / "logs").iterdir() if CANARY in path.read_text(errors="replace")]
    with system.redis as client:
        held = b"".join(client.dump(key) or b"" for key in client.scan_iter())
    if CANARY.encode() in held:
        found.append("redis")
    if CANARY in httpx2.get(f"{system.api_url}/metrics", **PLAIN).text:
        found.append("metrics")
    if system.rows(f"SELECT 1 FROM audit_events WHERE detail::text LIKE '%{CANARY}%' LIMIT 1"):
        found.append("audit")
    if CANARY in orjson.dumps(system.sandbox("/_sandbox/requests?upstream=gemini")).decode():
        found.append("model")
    return found
