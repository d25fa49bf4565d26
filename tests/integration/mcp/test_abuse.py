"""Row 20 of the fault list: an agent that tries every way around the guard is denied before the call, and audited."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import orjson
import pytest

from revenueflow.domain.action import CallStatus
from revenueflow.mcp.approvals import decide
from revenueflow.mcp.call import Call, Caller
from revenueflow.mcp.tools import TOOLS
from tests.support.calls import CANARY, add_claim, agent, events, once, pipeline, states, with_policy
from tests.support.escapes import ESCAPES, MINE, OTHER, OWNER, UPSERT
from tests.support.house import House


@pytest.fixture
def guarded(home: House, tmp_path: Path) -> House:
    """An agent with two tools and the campaign `spring`, in which MINE is and OTHER is not."""
    with_policy(home, tmp_path, ('campaigns = ["*"]', 'campaigns = ["spring"]'))
    for lead, campaign in ((MINE, "spring"), (OTHER, "autumn")):
        home.rows(
            "INSERT INTO leads (id, campaign_id, identity_key, version, status, received_at)"
            " VALUES ($1::uuid, $2, $1::uuid::text, 1, 'processed', now())", lead, campaign,
        )  # fmt: skip
    return home


async def stopped(home: House, call: Call, code: str, status: CallStatus = CallStatus.DENIED) -> None:
    """Nothing is planned or reaches the CRM, nothing of it is repeated, and the trail names caller and code."""
    requests, before, planned = await home.calls("crm"), len(events(home)), states(home)
    result = await once(home, call)
    assert result.status is status, result
    assert result.denial is not None
    assert result.denial.code == code
    assert CANARY not in result.model_dump_json()
    (event,) = [one for one in events(home)[before:] if one["action"].startswith("crm.")]
    detail = orjson.loads(event["detail"])
    assert (event["outcome"], detail["code"], detail["caller"]) == (status.value, code, call.caller.id)
    assert CANARY not in str(events(home))
    assert (await home.calls("crm"), states(home)) == (requests, planned)


@pytest.mark.parametrize("name", ESCAPES)
async def test_every_escape_is_denied_and_audited(guarded: House, name: str) -> None:
    make, code = ESCAPES[name]
    await stopped(guarded, make(), code)


async def test_what_it_may_do_it_can(guarded: House) -> None:
    assert (await once(guarded, Call("assign_owner", OWNER, agent(), "k"))).status is CallStatus.CONFIRMED


async def test_another_leads_claim_or_lead(guarded: House) -> None:
    lease = await guarded.leased(await guarded.deliver())
    claim = add_claim(guarded, lease)
    stolen = Call("upsert_lead", UPSERT | {"headcount": 240}, agent(), "k", claims={"/headcount": claim})
    await stopped(guarded, stolen, "ungrounded")
    args = OWNER | {"lead_id": str(OTHER)}
    await stopped(guarded, Call("assign_owner", args, agent(), "k2"), "approval_required", CallStatus.NEEDS_APPROVAL)
    await stopped(guarded, Call("assign_owner", args, pipeline(lease)), "other_lead")


async def test_a_key_stands_for_one_call(guarded: House) -> None:
    assert (await once(guarded, Call("assign_owner", OWNER, agent(), "k"))).status is CallStatus.CONFIRMED
    for tool, args in (("assign_owner", OWNER | {"reason": "other"}), ("upsert_lead", UPSERT)):
        await stopped(guarded, Call(tool, args, agent(), "k"), "idempotency_conflict")


async def test_an_approval_is_no_master_key(guarded: House) -> None:
    args = OWNER | {"lead_id": str(OTHER)}
    asked = await once(guarded, Call("assign_owner", args, agent(), "k"))
    assert asked.result is not None
    await decide(guarded.database, UUID(str(asked.result["approval_id"])), "approved", by="key:o", role="operator")
    needs = CallStatus.NEEDS_APPROVAL
    await stopped(guarded, Call("assign_owner", args | {"owner_id": "eve"}, agent(), "k"), "idempotency_conflict")
    await stopped(guarded, Call("assign_owner", args, agent(), "k2"), "approval_required", needs)
    await stopped(guarded, Call("assign_owner", args, agent("agent:b"), "k"), "approval_required", needs)
    await stopped(guarded, Call("upsert_lead", UPSERT | {"lead_id": str(OTHER)}, agent(), "k"), "idempotency_conflict")
    guarded.rows("UPDATE approvals SET expires_at = now()")
    await stopped(guarded, Call("assign_owner", args, agent(), "k"), "approval_expired")


@pytest.mark.parametrize("switch", ["kill_switch", "read_only"])
async def test_the_switches_stop_what_is_allowed_and_approved(guarded: House, tmp_path: Path, switch: str) -> None:
    args = OWNER | {"lead_id": str(OTHER)}
    asked = await once(guarded, Call("assign_owner", args, agent(), "k"))
    assert asked.result is not None
    await decide(guarded.database, UUID(str(asked.result["approval_id"])), "approved", by="key:o", role="operator")
    folder = tmp_path / "stopped"
    folder.mkdir()
    with_policy(guarded, folder, (f"{switch} = false", f"{switch} = true"))
    await stopped(guarded, Call("assign_owner", args, agent(), "k"), switch)
    await stopped(guarded, Call("assign_owner", OWNER, agent(), "k3", dry_run=True), switch)


async def test_whoever_calls_itself_what_it_is_not_has_no_more_rights(guarded: House) -> None:
    for role in ("root", "", "Admin", "auditor"):
        await stopped(guarded, Call("assign_owner", OWNER, Caller("key:x", role), "k"), "role")  # type: ignore[arg-type]


async def test_a_dry_run_says_what_would_differ_and_writes_nothing(guarded: House) -> None:
    first = Call("assign_owner", OWNER, agent(), "k")
    told = (await once(guarded, Call(first.tool, first.args, agent(), "k", dry_run=True))).result
    assert told is not None
    assert (told["exists"], told["difference"]["owner_id"]) == (False, {"from": None, "to": "dana-whitfield"})  # type: ignore[index,call-overload]
    await once(guarded, first)
    changed = Call("assign_owner", OWNER | {"owner_id": "li"}, agent(), "k2", dry_run=True)
    result = await once(guarded, changed)
    assert result.status is CallStatus.DRY_RUN
    assert result.result is not None
    assert result.result["difference"] == {"owner_id": {"from": "dana-whitfield", "to": "li"}}
    (record,) = await guarded.sandbox.records()
    assert record["fields"]["owner_id"] == "dana-whitfield"
    assert len(states(guarded)) == 1


async def test_each_version_of_the_policy_that_is_loaded_is_in_the_trail(guarded: House, tmp_path: Path) -> None:
    call = Call("assign_owner", OWNER, agent(), "k")
    await once(guarded, call)
    await once(guarded, call)
    folder = tmp_path / "changed"
    folder.mkdir()
    with_policy(guarded, folder, ("per_lead = 10", "per_lead = 9"))
    await once(guarded, call)
    rows = guarded.rows("SELECT detail FROM audit_events WHERE action = 'policy.loaded' ORDER BY ts, id")
    hashes = [orjson.loads(row["detail"])["sha256"] for row in rows]
    assert hashes[0] == hashes[1] != hashes[2]
    assert all(len(one) == 64 for one in hashes)


def test_the_guide_names_every_code() -> None:
    root = Path(__file__).parents[3]
    guide = (root / "docs/guard.md").read_text(encoding="utf-8")
    sources = "".join(path.read_text(encoding="utf-8") for path in (root / "revenueflow/mcp").rglob("*.py"))
    import re

    codes = set(re.findall(r"Denied\(\s*\"([a-z_]+)\"", sources)) | set(re.findall(r'code="([a-z_]+)"', sources))
    codes |= set(re.findall(r"^[A-Z_]+ = \(\s*\"([a-z_]+)\",\s*\"[^\"]+ ", sources, re.MULTILINE))  # with a reason
    assert {"outside_campaign", "unknown_lead", "idempotency_conflict"} <= codes
    assert len(codes) > 10
    assert {code for code in codes if f"`{code}`" not in guide} == set()
    assert not [name for name in TOOLS if name.startswith("delete")]
