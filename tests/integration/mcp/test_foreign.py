"""All tools, right and wrong guesses: an agent can't tell one from the other for a lead outside its campaigns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest

from revenueflow.db.jobs import Lease
from revenueflow.domain.action import CallStatus, ToolResult
from revenueflow.mcp.approvals import decide
from revenueflow.mcp.call import Call
from revenueflow.pipeline.erasure import erase
from tests.support.api import identity
from tests.support.calls import add_claim, add_lead, agent, calling, once, operator, owner, with_policy
from tests.support.house import KNOWN, House
from tests.support.tool_calls import SAMPLES, sample

LISTED = ", ".join(f'"{tool}"' for tool in SAMPLES)
ALL_TOOLS = ('agent = ["upsert_lead", "assign_owner"]', f"agent = [{LISTED}]")
SPRING = ('campaigns = ["*"]', 'campaigns = ["spring"]')
ROOM = ("per_caller = 100", "per_caller = 1000")
LESS_STRICT = ('roles = ["agent"]\noutside_campaign = true', 'tools = ["log_activity"]')
"""Nobody is asked about a lead outside the campaigns; the rule is for a tool that depends on nothing."""


ANY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Guess(NamedTuple):
    """What an agent says of a lead: arguments, and the claims that it names."""

    args: dict[str, Any]
    claims: Mapping[str, UUID] = MappingProxyType({})


class Foreign(NamedTuple):
    """A lead of another campaign, and what is true of it."""

    lead: UUID
    claim: UUID
    unsupported: UUID
    of_another: UUID


async def foreign(home: House) -> Foreign:
    """Its company is KNOWN and has 240 people; the CRM holds it as `working`, with a contact and an opportunity."""
    lead, other = await home.deliver(), await home.deliver(email="eve@else.example")
    for one in (lead, other):
        await home.run(one)
    leases = [Lease(home.job(one)["id"], one, 1, 1, 1, "t") for one in (lead, other)]
    for tool in ("create_contact", "create_opportunity"):
        assert (await once(home, sample(tool, lead, operator()))).status is CallStatus.CONFIRMED
    await once(home, sample("update_lead_status", lead, operator(), status="working"))
    unsupported = add_claim(home, leases[0], verdict="unsupported")
    return Foreign(lead, add_claim(home, leases[0]), unsupported, add_claim(home, leases[1]))


def guesses(tool: str, truth: Foreign) -> Sequence[Guess]:
    """The first one is right, if there is anything to guess."""
    claims = [{"/headcount": claim} for claim in (truth.claim, truth.unsupported, truth.of_another, uuid4())]
    match tool:
        case "match_account" | "create_contact" | "create_opportunity":
            return [Guess({"domain": KNOWN}), Guess({"domain": "other.example"})]
        case "sync_firmographics":
            others = [{"domain": KNOWN, "headcount": 250}, {"domain": "other.example"}]
            of_claims = [Guess({"domain": KNOWN, "headcount": 240}, claim) for claim in claims]
            return [*of_claims, *(Guess(args, claims[0]) for args in others)]
        case "upsert_lead":
            return [*(Guess({"headcount": 240}, claim) for claim in claims), Guess({"headcount": 250}, claims[0])]
        case "update_lead_status":
            return [Guess({"status": status}) for status in ("nurturing", "new", "converted", "nonsense")]
        case "update_opportunity_stage":
            return [Guess({"stage": "qualification"}), Guess({"opportunity": "none"}), Guess({"stage": "closed_won"})]
    return [Guess({})]


def told(result: ToolResult) -> str:
    """The answer without what every call has for itself: its key, its approval, and what it said itself."""
    answer = result.model_dump(mode="json")
    own = ("approval_id", "expires_at", "fields")
    answer["result"] = {name: name in own or value for name, value in (answer["result"] or {}).items()}
    return ANY_ID.sub("<id>", str(answer | {name: bool(answer[name]) for name in ("action_id", "retry_after")}))


async def answers(home: House, tool: str, truth: Foreign, nobodys: Sequence[UUID], **how: Any) -> set[str]:
    """What an agent is told for each guess: of the lead, of one that was erased, and of one that there is not."""
    found, bare = set(), sample(tool, truth.lead, agent())
    only = ("campaign_id", "headcount", "title") if tool == "upsert_lead" else None  # what an agent may give
    async with calling(home) as call:
        for lead in (truth.lead, *nobodys):
            for guess in guesses(tool, truth):
                given = {**bare.args, "lead_id": str(lead), **guess.args}
                args = {name: value for name, value in given.items() if not only or name in (*only, "lead_id")}
                asked = Call(tool, args, agent(), f"k-{uuid4()}", claims=dict(guess.claims), **how)
                found |= {told(await call(asked)), told(await call(asked))}
    return found


@pytest.mark.parametrize("dry_run", [False, True])
async def test_no_answer_tells_a_right_guess_from_a_wrong_one(home: House, tmp_path: Path, dry_run: bool) -> None:
    with_policy(home, tmp_path, SPRING, ALL_TOOLS, ROOM)
    truth, gone = await foreign(home), add_lead(home, "autumn", KNOWN)
    await erase(home.direct, identity(), gone, reason="asked for it", actor="test")
    before = await home.calls("crm")
    for tool in SAMPLES:
        found = await answers(home, tool, truth, (gone, uuid4()), dry_run=dry_run)
        assert len(found) == 1, (tool, found)
    assert await home.calls("crm") == before, "nobody asked the CRM, so it took no longer either"
    assert home.value("SELECT count(*) FROM approvals WHERE queued AND lead_id <> $1", truth.lead) == 0
    assert home.value("SELECT count(*) FROM approvals WHERE NOT queued AND args <> '{}'") == 0
    assert (home.value("SELECT count(*) FROM approvals WHERE queued") > 0) is not dry_run


async def test_where_nobody_is_asked_what_depends_on_the_lead_is_refused(home: House, tmp_path: Path) -> None:
    with_policy(home, tmp_path, SPRING, ALL_TOOLS, ROOM, LESS_STRICT)
    truth = await foreign(home)
    for tool in ("upsert_lead", "update_lead_status", "match_account", "sync_firmographics", "create_opportunity"):
        (found,) = await answers(home, tool, truth, (uuid4(),))
        assert "outside_campaign" in found, tool
    for tool in SAMPLES:
        assert len(await answers(home, tool, truth, (uuid4(),), dry_run=True)) == 1, tool


async def test_an_approved_call_is_checked_against_what_is_true(home: House, tmp_path: Path) -> None:
    with_policy(home, tmp_path, SPRING, ALL_TOOLS)
    truth = await foreign(home)
    ends = {}
    for number, guess in enumerate(guesses("sync_firmographics", truth)):
        args = {"lead_id": str(truth.lead), **guess.args}
        call = Call("sync_firmographics", args, agent(), f"k-{number}", claims=dict(guess.claims))
        asked = await once(home, call)
        assert asked.result is not None
        await decide(home.database, UUID(str(asked.result["approval_id"])), "approved", by="key:boss", role="operator")
        result = await once(home, call)
        ends[number] = result.denial.code if result.denial else result.status.value
    assert ends == {0: "confirmed", **dict.fromkeys((1, 2, 3, 4), "ungrounded"), 5: "foreign_account"}


async def test_an_approval_whose_lead_was_erased_goes_on_as_if_nobody_had_decided(home: House, tmp_path: Path) -> None:
    with_policy(home, tmp_path, SPRING)
    lead = add_lead(home, "autumn")
    call = owner(lead, agent())
    before = told(await once(home, call))
    await erase(home.direct, identity(), lead, reason="asked for it", actor="test")
    assert home.value("SELECT state FROM approvals") == "withdrawn"
    assert told(await once(home, call)) == before
    home.rows("UPDATE approvals SET expires_at = now()")
    late = await once(home, call)
    assert late.denial is not None
    assert late.denial.code == "approval_expired"
    assert home.value("SELECT count(*) FROM actions") == 0
