"""Approval by the person at an attended client: asked there, with state that fits one call of one caller."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import mcp_types as types
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.server.request_state import AESGCMRequestStateCodec
from mcp.shared.exceptions import MCPError

import revenueflow
from revenueflow import defaults
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.mcp.server.asking import QUESTION, SEAL
from revenueflow.settings import General
from tests.support import sql
from tests.support.api import Api, add_keys, identity, identity_file, served, settings_for
from tests.support.policy import agent_tools

Serve = Callable[..., Any]
ATTENDED = "attended = true"
ACCEPT = types.ElicitResult(action="accept", content={QUESTION: True})


LEAD = UUID("0190f7a4-0000-7000-8000-000000000001")


@pytest.fixture(autouse=True)
def lead(database: DatabaseUrls) -> None:
    """A lead that is in no campaign of the agent."""
    insert = """INSERT INTO leads (id, campaign_id, identity_key, version, status, received_at)
                VALUES ($1, 'autumn', 'one', 1, 'processed', now())"""
    sql.rows(database.superuser_url, insert, LEAD)


class Person:
    """Whoever sits at the client: keeps the questions, and gives one answer to each."""

    def __init__(self, answer: types.ElicitResult = ACCEPT) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def __call__(self, _: object, params: types.ElicitRequestParams) -> types.ElicitResult:
        self.asked.append(params.message)
        return self.answer


def policy(folder: Path, *changes: tuple[str, str]) -> None:
    """Agents may assign owners, in no campaign: somebody must approve it, and somebody sits at the client."""
    text = agent_tools(defaults.text("policy.toml"), "assign_owner")
    text += f"\n[agents.agent]\n{ATTENDED}\n"
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "policy.toml").write_text(text)


@pytest.fixture
def serve(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> Serve:
    keys: dict[str, str] = {}

    @contextmanager
    def start(*changes: tuple[str, str]) -> Iterator[Api]:
        keys.update(keys or add_keys(database))
        folder = tmp_path / str(uuid4())  # a process reads a file once
        folder.mkdir()
        policy(folder, *changes)
        settings = settings_for(database.app_url, redis_url, tmp_path)
        with served(settings.model_copy(update={"general": General(config_dir=folder)})) as client:
            yield Api(client, keys)

    return start


@pytest.fixture
def api(serve: Serve) -> Iterator[Api]:
    with serve() as one:
        yield one


@asynccontextmanager
async def connected(
    api: Api, person: Person | None, *, role: str = "agent", mode: Any = "2026-07-28"
) -> AsyncIterator[Client]:
    async with httpx2.AsyncClient(headers=api.as_role(role), timeout=20) as http:
        transport = streamable_http_client(f"{str(api.client.base_url).rstrip('/')}/mcp", http_client=http)
        async with Client(transport, mode=mode, elicitation_callback=person) as client:
            yield client


def owner(**more: Any) -> dict[str, Any]:
    given = {"lead_id": str(LEAD), "owner_id": "dana", "owner_name": "Dana", "reason": "asked"}
    return given | {"idempotency_key": "k1"} | more


async def asked(client: Client, args: dict[str, Any]) -> types.InputRequiredResult:
    """The question that a call gets."""
    found = await client.session.call_tool("assign_owner", args, allow_input_required=True)
    assert isinstance(found, types.InputRequiredResult)
    return found


async def answered(client: Client, args: dict[str, Any], state: str | None, answer: Any = ACCEPT) -> Any:
    """The call again, with an answer; a state that does not fit raises MCPError."""
    return await client.session.call_tool(
        "assign_owner", args, input_responses={QUESTION: answer}, request_state=state, allow_input_required=True
    )


def trail(database: DatabaseUrls) -> list[str]:
    rows = sql.rows(database.superuser_url, "SELECT action, outcome FROM audit_events ORDER BY ts, id")
    return [f"{row['action']} {row['outcome']}" for row in rows if row["action"] != "policy.loaded"]


def state_of(database: DatabaseUrls) -> list[str]:
    return [row["state"] for row in sql.rows(database.superuser_url, "SELECT state FROM approvals ORDER BY id")]


def written(database: DatabaseUrls) -> int:
    count: int = sql.value(database.superuser_url, "SELECT count(*) FROM actions")
    return count


async def test_what_the_person_accepts_is_written(api: Api, database: DatabaseUrls) -> None:
    person, args = Person(), owner()
    async with connected(api, person) as client:
        told = (await client.call_tool("assign_owner", args)).structured_content
        again = (await client.call_tool("assign_owner", args)).structured_content
    assert (told["status"], again["status"], again["replayed"]) == ("confirmed", "confirmed", True)
    assert len(person.asked) == 1
    for part in ("assign_owner", "outside_campaign", args["lead_id"], '- owner_name: "Dana"'):
        assert part in person.asked[0]
    assert trail(database) == [
        "approval.asked asked", "crm.assign_owner needs_approval", "approval.approved approved", "approval.used used",
        "crm.assign_owner planned", "crm.assign_owner confirmed", "crm.assign_owner replayed",
    ]  # fmt: skip
    (event,) = sql.rows(database.superuser_url, "SELECT * FROM audit_events WHERE action = 'approval.approved'")
    caller = sql.value(database.superuser_url, "SELECT caller FROM approvals")
    assert event["actor"] == f"client:{caller}"
    assert json.loads(event["detail"])["how"] == "client"


@pytest.mark.parametrize(
    "answer",
    [types.ElicitResult(action="decline"), types.ElicitResult(action="accept", content={QUESTION: False})],
)
async def test_what_the_person_declines_stays_refused(
    api: Api, database: DatabaseUrls, answer: types.ElicitResult
) -> None:
    person, args = Person(answer), owner()
    async with connected(api, person) as client:
        state = (await asked(client, args)).request_state
        for _ in range(2):
            told = await client.call_tool("assign_owner", args)
            assert told.structured_content["denial"]["code"] == "approval_denied"
        late = await answered(client, args, state)
    assert late.structured_content["denial"]["code"] == "approval_denied"
    assert (len(person.asked), written(database), state_of(database)) == (1, 0, ["denied"])
    assert trail(database).count("crm.assign_owner denied") == 3


async def test_a_form_that_is_closed_leaves_it_to_the_queue(api: Api, database: DatabaseUrls) -> None:
    person, args = Person(types.ElicitResult(action="cancel")), owner()
    async with connected(api, person) as client:
        told = (await client.call_tool("assign_owner", args)).structured_content
        assert told["status"] == "needs_approval"
        told = (await client.call_tool("assign_owner", args)).structured_content
        assert told["status"] == "needs_approval", "the same call again asks nobody there"
        assert (state_of(database), written(database)) == (["pending"], 0)
        approval = told["result"]["approval_id"]
        decision = {"json": {"decision": "approve"}, "headers": api.as_role("operator")}
        assert api.client.post(f"/v1/approvals/{approval}/decision", **decision).status_code == 200
        assert (await client.call_tool("assign_owner", args)).structured_content["status"] == "confirmed"
    assert len(person.asked) == 1


@pytest.mark.parametrize("content", [None, {}, {QUESTION: "yes"}, {QUESTION: 1}])
async def test_a_form_that_does_not_say_is_left_to_the_queue(api: Api, database: DatabaseUrls, content: Any) -> None:
    person, args = Person(types.ElicitResult(action="accept", content=content)), owner()
    async with connected(api, person) as client:
        told = (await client.call_tool("assign_owner", args)).structured_content
        assert told["status"] == "needs_approval"
        for _ in range(3):
            again = await answered(client, args, None, person.answer)  # an answer to no question
            assert again.structured_content["status"] == "needs_approval"
    assert len(person.asked) == 1
    assert (state_of(database), written(database)) == (["pending"], 0)


async def test_nobody_is_worn_down_by_questions(api: Api, database: DatabaseUrls) -> None:
    async with connected(api, Person()) as client:
        args = owner()
        states = [(await asked(client, args)).request_state for _ in range(3)]
        told = await client.session.call_tool("assign_owner", args, allow_input_required=True)
        assert isinstance(told, types.CallToolResult)
        assert told.structured_content is not None
        assert told.structured_content["status"] == "needs_approval"
        assert (state_of(database), written(database)) == (["pending"], 0)
        assert (await answered(client, args, states[0])).structured_content["status"] == "confirmed"


async def test_a_call_that_comes_back_without_an_answer_is_not_asked_again(api: Api, database: DatabaseUrls) -> None:
    args = owner()
    async with connected(api, Person()) as client:
        state = (await asked(client, args)).request_state
        for responses in ({}, {"other": ACCEPT}, None):
            told = await client.session.call_tool(
                "assign_owner", args, input_responses=responses, request_state=state, allow_input_required=True
            )
            assert isinstance(told, types.CallToolResult)
            assert told.structured_content is not None
            assert told.structured_content["status"] == "needs_approval"
    assert (state_of(database), written(database)) == (["pending"], 0)


async def queued(api: Api, person: Person | None, database: DatabaseUrls, **how: Any) -> None:
    """The call waits for the queue, and nobody at the client was asked."""
    async with connected(api, person, **how) as client:
        told = (await client.call_tool("assign_owner", owner())).structured_content
    assert told["status"] == "needs_approval"
    assert (state_of(database), written(database)) == (["pending"], 0)
    assert person is None or person.asked == []


async def test_a_client_that_shows_no_forms_is_told_to_wait(api: Api, database: DatabaseUrls) -> None:
    await queued(api, None, database)


async def test_an_older_client_over_http_is_told_to_wait(api: Api, database: DatabaseUrls) -> None:
    await queued(api, Person(), database, mode="legacy")


@pytest.mark.parametrize(
    "change", [(ATTENDED, "attended = false"), (ATTENDED, ""), ("by_client = true", "by_client = false")]
)
async def test_nobody_is_asked_unless_the_policy_says_so(
    serve: Serve, database: DatabaseUrls, change: tuple[str, str]
) -> None:
    with serve(change) as api:
        await queued(api, Person(), database)


async def test_a_persons_own_key_is_no_attended_agent(serve: Serve, database: DatabaseUrls) -> None:
    """Nobody approves a call of their own."""
    for_all = ('roles = ["agent"]\noutside_campaign = true', 'tools = ["assign_owner"]')
    with serve(for_all, ("[agents.agent]", "[agents.operator]")) as api:
        await queued(api, Person(), database, role="operator")


@pytest.mark.parametrize("change", [(ATTENDED, "attended = false"), ("by_client = true", "by_client = false")])
async def test_an_answer_counts_by_the_policy_of_its_own_time(
    serve: Serve, database: DatabaseUrls, change: tuple[str, str]
) -> None:
    args = owner()
    with serve() as api:
        async with connected(api, Person()) as client:
            state = (await asked(client, args)).request_state
    with serve(change) as api:
        async with connected(api, Person()) as client:
            told = await answered(client, args, state)
    assert told.structured_content["status"] == "needs_approval"
    assert (state_of(database), written(database)) == (["pending"], 0)


async def refused(client: Client, args: dict[str, Any], state: str | None) -> None:
    with pytest.raises(MCPError) as raised:
        await answered(client, args, state)
    assert raised.value.error.code == types.INVALID_PARAMS
    assert raised.value.error.data == {"reason": "invalid_request_state"}


async def test_state_fits_one_call_of_one_caller(api: Api, database: DatabaseUrls) -> None:
    args = owner()
    async with connected(api, Person()) as client, connected(api, Person(), role="operator") as other:
        state = (await asked(client, args)).request_state
        assert state is not None
        for changed in ({"owner_id": "eve"}, {"lead_id": str(uuid4())}, {"idempotency_key": "k2"}):
            await refused(client, args | changed, state)
        await refused(other, args, state)
        flipped = state[:-2] + ("A" if state[-2] != "A" else "B") + state[-1]
        for forged in (flipped, "v1.", "x", str(uuid4())):
            await refused(client, args, forged)
        assert (state_of(database), written(database)) == (["pending"], 0)
        assert (await answered(client, args, state)).structured_content["status"] == "confirmed"
        used = (await answered(client, args, state)).structured_content
        assert (used["status"], used["replayed"]) == ("confirmed", True)
        again = (await answered(client, args | {"owner_id": "eve"}, None)).structured_content
        assert again["denial"]["code"] == "idempotency_conflict"
    assert written(database) == 1


def aged(state: str, seconds: float) -> str:
    """The same state, as if it had been sealed so long ago."""
    codec = AESGCMRequestStateCodec([identity().digest(SEAL)])
    claims = json.loads(codec.unseal(state))
    assert 599 < claims["exp"] - time.time() <= 600
    return codec.seal(json.dumps(claims | {name: claims[name] - seconds for name in ("iat", "exp")}).encode())


async def test_state_and_approval_expire(api: Api, database: DatabaseUrls) -> None:
    args = owner()
    async with connected(api, Person()) as client:
        state = (await asked(client, args)).request_state
        assert state is not None
        await refused(client, args, aged(state, 601))
        sql.rows(database.superuser_url, "UPDATE approvals SET expires_at = now()")
        told = await answered(client, args, aged(state, 60))
    assert told.structured_content["denial"]["code"] == "approval_expired"
    assert (state_of(database), written(database)) == (["expired"], 0)
    assert "approval.approved approved" not in trail(database)


async def test_what_the_queue_decided_first_counts(api: Api, database: DatabaseUrls) -> None:
    args = owner()
    async with connected(api, Person()) as client:
        state = (await asked(client, args)).request_state
        approval = sql.value(database.superuser_url, "SELECT id FROM approvals")
        decision = {"json": {"decision": "deny"}, "headers": api.as_role("operator")}
        assert api.client.post(f"/v1/approvals/{approval}/decision", **decision).status_code == 200
        told = await answered(client, args, state)
    assert told.structured_content["denial"]["code"] == "approval_denied"
    assert written(database) == 0


async def test_no_text_hides_or_fakes_another_in_the_question(api: Api) -> None:
    person = Person()
    name = "Dana\nIt would write:\n- owner_id: \u202eeve\u200b\x07\x1b[2J\u2028"
    async with connected(api, person) as client:
        await client.call_tool("assign_owner", owner(owner_name=name))
    (question,) = person.asked
    assert len(question.splitlines()) == len([line for line in question.split("\n") if line.isprintable()])
    assert question.count("\n- owner_id: ") == 1
    assert "\\u202eeve\\u200b\\u0007\\u001b[2J\\u2028" in question


async def test_what_cannot_be_shown_whole_is_not_asked_at_a_client(serve: Serve, database: DatabaseUrls) -> None:
    person = Person()
    task = {
        "owner_id": "dana",
        "subject": "Call",
        "body": "x" * 3000 + "\u200b" * 200,
        "due_at": "2026-12-01T09:00:00Z",
    }
    given = {"lead_id": str(LEAD), "idempotency_key": "k1"} | task
    with serve(('agent = ["assign_owner"]', 'agent = ["create_task"]')) as api:
        async with connected(api, person) as client:
            told = (await client.call_tool("create_task", given)).structured_content
    assert told["status"] == "needs_approval", told
    assert (person.asked, state_of(database)) == ([], ["pending"])


async def test_of_a_lead_that_there_is_not_the_question_is_the_same(api: Api, database: DatabaseUrls) -> None:
    person, nobody = Person(), str(uuid4())
    async with connected(api, person) as client:
        await client.call_tool("assign_owner", owner())
        told = (await client.call_tool("assign_owner", owner(lead_id=nobody, idempotency_key="k2"))).structured_content
    assert told["denial"]["code"] == "unknown_lead"
    assert person.asked[0].replace(str(LEAD), nobody) == person.asked[1]
    assert written(database) == 1


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
@pytest.mark.parametrize(
    ("action", "status"), [("accept", "confirmed"), ("decline", "denied"), ("cancel", "needs_approval")]
)
async def test_over_standard_input_and_output(
    database: DatabaseUrls, redis_url: str, tmp_path: Path, mode: Any, action: Any, status: str
) -> None:
    keys = add_keys(database)
    policy(tmp_path)
    env = {
        "DATABASE_URL": database.app_url,
        "REDIS_URL": redis_url,
        "REVENUEFLOW_IDENTITY_KEY_FILE": str(identity_file(tmp_path)),
        "REVENUEFLOW_CONFIG_DIR": str(tmp_path),
        "REVENUEFLOW_API_KEY": keys["agent"],
        "PYTHONPATH": str(Path(revenueflow.__file__).parents[1]),  # this checkout, whatever is installed
    }
    arguments = ["-m", "revenueflow", "mcp", "serve", "--stdio"]
    server = StdioServerParameters(command=sys.executable, args=arguments, env=env, cwd=tmp_path)
    person = Person(types.ElicitResult(action=action, content={QUESTION: True} if action == "accept" else None))
    async with Client(server, mode=mode, elicitation_callback=person) as client:
        told = (await client.call_tool("assign_owner", owner())).structured_content
    assert told["status"] == status
    assert len(person.asked) == 1
    assert written(database) == (1 if action == "accept" else 0)
