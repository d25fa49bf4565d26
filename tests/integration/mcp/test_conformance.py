"""The fixture of the conformance suite stays able to serve: the suite itself needs Node (`make conformance`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import mcp_types as types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from tests.support.mcp_suite import Target, serving
from tests.support.with_header import with_header


@pytest.fixture(scope="module", params=["fixture", "sessions"])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with serving(request.param, tmp_path_factory.mktemp("fixture")) as one:
        yield one


async def answer(_: object, params: types.ElicitRequestParams) -> types.ElicitResult:
    assert isinstance(params, types.ElicitRequestFormParams)
    return types.ElicitResult(action="accept", content=dict.fromkeys(params.requested_schema["properties"], "x"))


async def test_the_fixture_answers_and_asks_again(target: Target) -> None:
    async with Client(target.url, mode="2026-07-28", elicitation_callback=answer) as client:
        assert len((await client.list_tools()).tools) > 20
        said = await client.call_tool("test_input_required_result_multi_round", {})
    assert "both steps are done" in str(said.content)


async def test_only_a_session_can_be_asked_within_a_call(target: Target) -> None:
    async with Client(target.url, mode="legacy", elicitation_callback=answer) as client:
        call = client.call_tool("test_elicitation", {"message": "Who?"})
        if target.stateless:
            with pytest.raises(MCPError):
                await call
        else:
            assert "action=accept" in str((await call).content)


META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
HEADERS = {
    "Accept": "application/json, text/event-stream",
    "Content-Type": "application/json",
    "Mcp-Protocol-Version": "2026-07-28",
}


def status_of(port: int | None, **headers: str) -> int:
    """Of a call with these headers, as they are."""
    params = {"name": "test_simple_text", "arguments": {}, "_meta": META}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    given = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("POST", "/mcp", body, given)
        return connection.getresponse().status


def test_white_space_around_a_header_is_no_part_of_it(target: Target) -> None:
    """RFC 9110, 5.5."""
    port = urlsplit(target.url).port
    assert status_of(port, Mcp_Method="tools/call", Mcp_Name="  test_simple_text \t") == 200
    assert status_of(port, Mcp_Method="tools/call", Mcp_Name="test_ simple_text") == 400


def test_a_header_is_added_for_a_client_that_cannot_send_it(target: Target) -> None:
    port = urlsplit(target.url).port or 0
    with with_header("Mcp-Method", "tools/call", port) as other:
        assert status_of(other, Mcp_Name="test_simple_text") == 200
    assert status_of(port, Mcp_Name="test_simple_text") == 400


def test_without_node_it_says_what_is_missing() -> None:
    env = {**os.environ, "PATH": "/nowhere"}
    ran = subprocess.run(
        [sys.executable, "-m", "tests.support.mcp_suite"], env=env, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "install node" in ran.stderr
