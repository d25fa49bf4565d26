"""Who owns the company in the CRM gets its leads: asked through the guard, over real HTTP; without it if it is away."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from redis.asyncio import Redis

from revenueflow import defaults
from revenueflow.domain.action import shared_record_key
from revenueflow.pipeline.route import Routed
from tests.support.house import KNOWN, House, eventually

OWNER = "lena-brandt"
"""A rep whom no rule gives a lead of LEAD's country."""


def rules(home: House, **crm_owners: Any) -> None:
    """The routing table with other [crm_owners]."""
    given = {"ask": True, "keep_minutes": 15, "patience_seconds": 300, **crm_owners}
    lines = "".join(f"{name} = {orjson.dumps(value).decode()}\n" for name, value in given.items())
    head, _, rest = defaults.text("routing.toml").partition("[crm_owners]\n")
    text = f"{head}[crm_owners]\n{lines}\n{rest[rest.index('[follow_up]') :]}"
    (Path(str(home.settings.config_dir)) / "routing.toml").write_text(text)


async def account(home: House, domain: str = KNOWN, **fields: Any) -> None:
    """An account in the CRM, as somebody else keeps it there."""
    path = f"/records/account/{shared_record_key('account', domain)}"
    headers = {"authorization": "Bearer x"}
    await home.sandbox.ask("crm", "PUT", path, json={"fields": {"domain": domain, **fields}}, headers=headers)


async def asked(home: House) -> int:
    """How often the CRM was asked for an account."""
    requests = await home.sandbox.requests("crm")
    return sum(one["method"] == "GET" and one["path"].startswith("/records/account/") for one in requests)


async def long_ago(home: House, lead: UUID) -> None:
    """The lead has waited for an hour."""
    home.rows("UPDATE jobs SET run_at = now()")
    async with Redis.from_url(home.settings.redis.url) as redis:
        name = f"revenueflow:owners:since:{home.job(lead)['id']}"
        since = await redis.get(name)
        assert since
        await redis.set(name, float(since) - 3600)


def path_of(home: House, lead: UUID) -> tuple[str, ...]:
    """What routing tried for a lead."""
    return Routed.model_validate_json(home.steps(lead)["route"]["output"]).routing.path


async def routed(home: House, **fields: str) -> dict[str, Any]:
    lead = await home.deliver(**fields)
    assert (await home.run(lead))["state"] == "done"
    return home.lead(lead)


async def test_the_owner_of_the_account_gets_the_lead_and_the_trail_says_that_it_was_read(home: House) -> None:
    await account(home, owner_id=OWNER)
    lead = await routed(home)
    assert (lead["owner_id"], lead["routing_rule"]) == (OWNER, "existing:account")
    assert ("crm.match_account", "read") in home.audit(lead["id"])
    record = next(one for one in await home.sandbox.records("crm") if one["type"] == "lead")
    assert record["fields"]["owner_id"] == OWNER


async def test_an_open_opportunity_comes_before_the_account(home: House) -> None:
    await account(home, owner_id=OWNER, opportunity_owner_ids=["who-left", "kenji-morita"])
    lead = await routed(home)
    assert (lead["owner_id"], lead["routing_rule"]) == ("kenji-morita", "existing:opportunity")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"owner_id": 7, "opportunity_owner_ids": "kenji-morita"},
         "existing:account: no, not understood of the account in the CRM: owner_id, opportunity_owner_ids"),
        ({"owner_id": ["lena-brandt"]}, "existing:account: no, not understood of the account in the CRM: owner_id"),
        ({"opportunity_owner_ids": [7]},
         "existing:account: no, not understood of the account in the CRM: opportunity_owner_ids"),
        ({"owner_id": "inbound-queue"}, "existing:account: no, inbound-queue is the default queue"),
    ],
)  # fmt: skip
async def test_an_owner_that_is_none_is_told_in_the_path(home: House, fields: dict[str, Any], said: str) -> None:
    await account(home, **fields)
    lead = await routed(home)
    assert lead["routing_rule"].startswith("territory:")
    assert said in path_of(home, lead["id"])


@pytest.mark.parametrize(("keep_minutes", "times"), [(15, 1), (0, 2)])
async def test_one_answer_serves_the_company_for_a_while(home: House, keep_minutes: int, times: int) -> None:
    rules(home, keep_minutes=keep_minutes)
    await account(home, owner_id=OWNER)
    for name in "ab":
        assert (await routed(home, email=f"{name}@{KNOWN}"))["routing_rule"] == "existing:account"
    assert await asked(home) == times


async def test_after_its_patience_a_lead_goes_by_an_older_answer_and_says_of_when(home: House) -> None:
    rules(home, keep_minutes=0)
    await account(home, owner_id=OWNER)
    await routed(home)
    await home.sandbox.break_("crm", status=503, error_rate=1)
    lead = await home.deliver(email=f"b@{KNOWN}")
    assert (await home.run(lead))["step"] == "route"
    await long_ago(home, lead)
    assert (await home.run(lead))["step"] == "record"
    assert home.lead(lead)["routing_rule"] == "existing:account"
    first, second = path_of(home, lead)
    assert first.startswith("existing:account: no, the CRM was not asked: ")
    assert "; it answered at 20" in first
    assert second == "existing:account: yes, the account has an owner"


async def test_what_the_crm_keeps_for_others_is_not_readable_in_redis(home: House) -> None:
    await account(home, owner_id=OWNER)
    await routed(home)
    async with Redis.from_url(home.settings.redis.url) as redis:
        names = [name.decode() async for name in redis.scan_iter("revenueflow:owners:[0-9a-f]*")]
        assert len(names) == 1
        assert KNOWN not in names[0]
        assert 0 < await redis.ttl(names[0]) <= 86_400


async def test_an_owner_whom_nobody_knows_is_passed_over_and_named(home: House) -> None:
    await account(home, owner_id="005-somebody")
    lead = await routed(home)
    assert lead["routing_rule"].startswith("territory:")
    assert "existing:account: no, 005-somebody: no rep has this id" in path_of(home, lead["id"])


AWAY = pytest.mark.parametrize("faults", [{"status": 503, "error_rate": 1}, {"status": 429, "error_rate": 1}])


@AWAY
async def test_a_lead_waits_for_the_crm(home: House, faults: dict[str, Any]) -> None:
    await account(home, owner_id=OWNER)
    await home.sandbox.break_("crm", **faults)
    lead = await home.deliver()
    job = await home.run(lead)
    assert (job["state"], job["step"], job["last_error"], job["attempt"]) == ("ready", "route", "crm_not_asked", 0)
    await home.sandbox.break_("crm")

    async def ended() -> bool:
        return bool((await home.run(lead))["state"] == "done")

    await eventually(ended, seconds=60)
    assert home.lead(lead)["owner_id"] == OWNER


async def test_a_lead_that_has_waited_long_enough_is_routed_without(home: House) -> None:
    await account(home, owner_id=OWNER)
    await home.sandbox.break_("crm", status=503, error_rate=1)
    lead = await home.deliver()
    for _ in range(2):
        assert (await home.run(lead))["step"] == "route"
        home.rows("UPDATE jobs SET run_at = now()")
    await long_ago(home, lead)
    job = await home.run(lead)
    assert (job["state"], job["step"]) == ("ready", "record")
    assert home.lead(lead)["routing_rule"].startswith("territory:")
    assert path_of(home, lead)[0].startswith("existing:account: no, the CRM was not asked: ")


async def test_a_lead_does_not_wait_where_the_rules_say_so(home: House) -> None:
    rules(home, patience_seconds=0)
    await home.sandbox.break_("crm", status=503, error_rate=1)
    lead = await home.deliver()
    assert (await home.run(lead))["step"] == "record"


async def test_a_full_limit_is_waited_for_as_long_as_it_takes(home: House) -> None:
    rules(home, patience_seconds=0)
    await account(home, owner_id=OWNER)
    crm = home.settings.crm.model_copy(update={"per_minute": 1})
    home.settings = home.settings.model_copy(update={"crm": crm})
    first, second = await home.deliver(email="a@one.example"), await home.deliver()
    async with home.runner() as runner:
        await home.run_job(runner, home.job(first)["id"])
        await home.run_job(runner, home.job(second)["id"])
        job = home.job(second)
        assert (job["state"], job["step"], job["last_error"]) == ("ready", "route", "crm_not_asked")


@pytest.mark.parametrize(
    "given",
    [
        {"owner_id": "Ann Example <ann@x.example>", "opportunity_owner_ids": ["a\u0000b", "x" * 1_000_000]},
        {"owner_id": 5, "opportunity_owner_ids": "lena-brandt and others"},
        {"owner_id": ["lena-brandt"], "opportunity_owner_ids": {"a": "b"}},
    ],
)
async def test_what_is_no_id_is_not_believed_nor_repeated(home: House, given: dict[str, Any]) -> None:
    await account(home, **given)
    lead = await routed(home)
    assert lead["routing_rule"].startswith("territory:")
    path = path_of(home, lead["id"])
    fields = "owner_id, opportunity_owner_ids"
    assert path[0] == f"existing:account: no, not understood of the account in the CRM: {fields}"
    assert all(len(line) < 200 and "Ann" not in line for line in path)


async def test_the_queue_s_opportunity_hides_no_rep_s(home: House) -> None:
    await account(home, owner_id="inbound-queue", opportunity_owner_ids=["inbound-queue", OWNER])
    lead = await routed(home)
    assert (lead["owner_id"], lead["routing_rule"]) == (OWNER, "existing:opportunity")
    await account(home, "halden.example", owner_id="inbound-queue")
    other = await routed(home, email="b@halden.example")
    assert path_of(home, other["id"])[0] == "existing:account: no, inbound-queue is the default queue"


@pytest.mark.parametrize("asks", ["rules", "policy", "neither"])
async def test_nobody_is_asked_where_the_rules_or_the_policy_say_so(home: House, asks: str) -> None:
    await account(home, owner_id=OWNER)
    rules(home, ask=asks == "rules")
    policy = Path(str(home.settings.config_dir)) / "policy.toml"
    if asks != "policy":
        text = policy.read_text()
        assert '"assign_owner", "match_account", "create_task"' in text
        policy.write_text(
            text.replace('"assign_owner", "match_account", "create_task"', '"assign_owner", "create_task"')
        )
    assert (await routed(home))["routing_rule"].startswith("territory:")
    assert (await routed(home, email=f"b@{KNOWN}"))["routing_rule"] == "existing:company"
    assert await asked(home) == 0
