"""What an agent can't learn, or pile up, by calls about leads outside its campaigns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from revenueflow.db import approvals
from revenueflow.domain.action import CallStatus, ToolResult
from revenueflow.errors import Conflict
from revenueflow.mcp.approvals import decide
from tests.support.calls import agent, once, operator, owner, with_policy
from tests.support.house import House
from tests.support.tool_calls import sample

TOOLS = (
    'agent = ["upsert_lead", "assign_owner"]',
    'agent = ["upsert_lead", "assign_owner", "update_lead_status", "match_account"]',
)
SPRING = ('campaigns = ["*"]', 'campaigns = ["spring"]')
LEAD = """INSERT INTO leads (id, campaign_id, identity_key, version, status, received_at, domain)
          VALUES ($1::uuid, 'autumn', $1::uuid::text, 1, 'processed', now(), 'larkvale.example')"""


def of_autumn(home: House) -> UUID:
    """A lead that is in no campaign of the agent."""
    lead = uuid4()
    home.rows(LEAD, lead)
    return lead


def code(result: ToolResult) -> str | None:
    return result.denial.code if result.denial else None


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_state_is_not_told_before_a_person_has_approved(home: House, tmp_path: Path, dry_run: bool) -> None:
    with_policy(home, tmp_path, SPRING, TOOLS)
    lead = of_autumn(home)
    await once(home, sample("upsert_lead", lead, operator(), "k-0"))
    await once(home, sample("update_lead_status", lead, operator(), "k-1", status="working"))
    for status in ("nurturing", "new"):  # the one may follow, the other may not
        call = replace(sample("update_lead_status", lead, agent(), status, status=status), dry_run=dry_run)
        result = await once(home, call)
        assert result.status is (CallStatus.DRY_RUN if dry_run else CallStatus.NEEDS_APPROVAL)
        assert "working" not in result.model_dump_json()


async def test_the_transition_is_checked_once_it_is_approved(home: House, tmp_path: Path) -> None:
    with_policy(home, tmp_path, SPRING, TOOLS)
    lead = of_autumn(home)
    await once(home, sample("upsert_lead", lead, operator(), "k-0"))
    await once(home, sample("update_lead_status", lead, operator(), "k-1", status="working"))
    for status, ends in (("new", "transition"), ("nurturing", None)):
        call = sample("update_lead_status", lead, agent(), status, status=status)
        asked = await once(home, call)
        assert asked.result is not None
        await decide(home.database, UUID(str(asked.result["approval_id"])), "approved", by="key:boss", role="operator")
        assert code(await once(home, call)) == ends


async def test_a_company_can_not_be_guessed(home: House, tmp_path: Path) -> None:
    with_policy(home, tmp_path, SPRING, TOOLS)
    lead = of_autumn(home)
    for domain in ("larkvale.example", "other.example"):
        assert code(await once(home, sample("match_account", lead, agent(), domain=domain))) == "outside_campaign"


async def test_a_caller_does_not_flood_the_queue(home: House, tmp_path: Path) -> None:
    with_policy(home, tmp_path, SPRING, ("per_caller = 100", "per_caller = 2"))
    told = [await once(home, owner(of_autumn(home), agent(), f"k{n}")) for n in range(4)]
    assert [one.status for one in told] == [CallStatus.NEEDS_APPROVAL] * 2 + [CallStatus.DELAYED] * 2
    assert (told[-1].retry_after or 0) > 0
    assert (await once(home, owner(of_autumn(home), agent("agent:b"), "k"))).status is CallStatus.NEEDS_APPROVAL
    assert home.value("SELECT count(*) FROM approvals") == 3


async def listed(home: House) -> list[dict[str, Any]]:
    async with home.database.transaction() as session:
        return list(await approvals.page(session, limit=100))


async def test_nobody_is_asked_about_leads_that_there_are_not(home: House, tmp_path: Path) -> None:
    with_policy(home, tmp_path, SPRING, ("per_caller = 100", "per_caller = 2"))
    told = [await once(home, owner(uuid4(), agent(), f"k{n}")) for n in range(3)]
    assert [one.status for one in told] == [CallStatus.NEEDS_APPROVAL] * 2 + [CallStatus.DELAYED], "they count as well"
    assert await listed(home) == []
    async with home.database.transaction() as session:
        assert (await approvals.waiting(session))[0] == 0
    assert told[0].result is not None
    with pytest.raises(Conflict):
        await decide(
            home.database, UUID(str(told[0].result["approval_id"])), "approved", by="key:boss", role="operator"
        )


async def test_a_lead_that_comes_later_brings_its_call_into_the_queue(home: House, tmp_path: Path) -> None:
    with_policy(home, tmp_path, SPRING)
    lead = uuid4()
    call = owner(lead, agent())
    first = await once(home, call)
    home.rows(LEAD, lead)
    again = await once(home, call)
    assert (first.result, first.denial) == (again.result, again.denial)
    (found,) = await listed(home)
    assert found["args"]["owner_id"] == "dana-whitfield"
    await decide(home.database, found["id"], "approved", by="key:boss", role="operator")
    assert (await once(home, call)).status is CallStatus.CONFIRMED


async def test_who_may_know_it_is_told_that_there_is_no_such_lead(home: House, tmp_path: Path) -> None:
    with_policy(home, tmp_path, ('roles = ["agent"]\noutside_campaign = true', 'tools = ["assign_owner"]'))
    for caller in (agent(), operator()):
        assert code(await once(home, owner(uuid4(), caller))) == "unknown_lead"
    assert home.value("SELECT count(*) FROM approvals") == 0
