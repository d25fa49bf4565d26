"""What no client sends: raw HTTP to `/mcp`, and garbage on standard input. Nothing fails, holds on, or is repeated."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import revenueflow
from revenueflow import defaults
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.settings import General
from tests.support import sql
from tests.support.api import Api, add_keys, api_settings, identity_file, served, settings_for
from tests.support.calls import CANARY
from tests.support.policy import agent_tools

JSON = "application/json"
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "x", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
VERSIONS = ("2025-11-25", "2026-07-28")
ARGS = {"lead_id": str(uuid4()), "owner_id": "d", "owner_name": "D", "reason": CANARY, "idempotency_key": "k"}
CALL: dict[str, Any] = {
    "jsonrpc": "2.0", "id": 1, "method": "tools/call",
    "params": {"name": "assign_owner", "arguments": ARGS, "_meta": META},
}  # fmt: skip
SOUND = json.dumps(CALL).encode()


@pytest.fixture
def api(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> Iterator[Api]:
    """An API whose agents may assign owners. Bodies have half a second, and their usual room."""
    text = agent_tools(defaults.text("policy.toml", None), "assign_owner")
    (tmp_path / "policy.toml").write_text(text + '\n[agents.agent]\ncampaigns = ["*"]\n')
    settings = settings_for(
        database.app_url, redis_url, tmp_path, api=api_settings(body_limit=262_144, body_seconds=0.5)
    )
    with served(settings.model_copy(update={"general": General(config_dir=tmp_path)})) as client:
        yield Api(client, add_keys(database))


def sent(api: Api, version: str, body: bytes = SOUND, *more: tuple[str, str], kind: str | None = JSON) -> Any:
    """A POST, with the headers of a client that knows what it does, some of them replaced."""
    headers = [*api.as_role("agent").items(), ("Accept", "application/json, text/event-stream")]
    headers += [("MCP-Protocol-Version", version), ("Mcp-Method", "tools/call"), ("Mcp-Name", "assign_owner")]
    headers += [("Content-Type", kind)] if kind is not None else []
    return api.client.post("/mcp", content=body, headers=[*headers, *more])


def deep(levels: int) -> bytes:
    return b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":' + b"[" * levels + b"]" * levels + b"}}"


TWICE = SOUND.replace(b'"name": "assign_owner"', b'"name": "get_lead", "name": "assign_owner"')
BODIES = {
    "nothing": b"", "half": SOUND[:-1], "two": SOUND + SOUND, "other bytes": SOUND.replace(b'"D"', b'"\xff"'),
    "UTF-16": SOUND.decode().encode("utf-16"), "UTF-32": SOUND.decode().encode("utf-32"),
    "a mark before it": b"\xef\xbb\xbf" + SOUND, "a name twice": TWICE, "deep": deep(100_000),
    "NaN": SOUND.replace(b'"D"', b"NaN"), "a long number": SOUND.replace(b'"D"', b"9" * 10_000),
    "text": json.dumps(CANARY).encode(), "null": b"null", "a list": b"[" + SOUND + b"]",
    "params in a list": json.dumps(CALL | {"params": [CANARY]}).encode(),
    "params in text": json.dumps(CALL | {"params": CANARY}).encode(),
    "no method": json.dumps(CALL | {"method": {"a": CANARY}}).encode(),
    "an old version": json.dumps(CALL | {"jsonrpc": CANARY}).encode(),
    **{f"id {one}": json.dumps(CALL | {"id": one}).encode() for one in (None, 1.5, True, [CANARY], {"a": CANARY})},
}  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_a_body_that_readers_could_read_differently_is_refused(api: Api, database: DatabaseUrls, version: str) -> None:
    for what, body in BODIES.items():
        answer = sent(api, version, body)
        assert (answer.status_code, answer.json()["error"]["code"]) in ((400, -32700), (400, -32600)), what
        assert CANARY not in answer.text, what
    assert sql.value(database.superuser_url, "SELECT count(*) FROM actions") == 0
    assert sent(api, version, b" " * 300_000).status_code == 413
    assert sent(api, version).json()["result"]["structuredContent"]["status"] == "confirmed"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_body_is_json_once_and_as_it_is(api: Api, version: str) -> None:
    for kind in (
        None, "", "text/plain", "application/jsonp", "application/json, text/plain", "application/json; charset=utf-16",
        "application/json; charset=utf-8; x=1", "multipart/form-data; boundary=x",
    ):  # fmt: skip
        assert sent(api, version, kind=kind).status_code == 415, kind
    assert sent(api, version, SOUND, ("Content-Type", "text/plain")).status_code == 415
    for encoding in ("gzip", "br", "gzip, identity"):
        assert sent(api, version, SOUND, ("Content-Encoding", encoding)).status_code == 415
    for kind in ("Application/JSON", "application/json;charset=UTF-8", 'application/json; charset="utf-8"'):
        assert sent(api, version, kind=kind).status_code == 200, kind


@pytest.mark.parametrize("version", VERSIONS)
def test_only_post_and_one_key(api: Api, version: str) -> None:
    headers = api.as_role("agent") | {"Accept": "text/event-stream", "MCP-Protocol-Version": version}
    for method in ("GET", "DELETE", "PUT", "OPTIONS"):  # a GET would be a stream that nothing ever comes from
        answer = api.client.request(method, "/mcp", headers=headers)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST"), method
    for other in ("Bearer rf_other", api.as_role("operator")["Authorization"]):
        assert sent(api, version, SOUND, ("Authorization", other)).status_code == 401
    assert api.client.get("/mcp").status_code == 401


def test_headers_that_say_something_else_than_the_body(api: Api, database: DatabaseUrls) -> None:
    usual = {"Mcp-Method": "tools/call", "Mcp-Name": "assign_owner"}
    for name, value in (("Mcp-Method", "tools/list"), ("Mcp-Name", "get_lead"), ("Mcp-Name", CANARY)):
        headers = api.as_role("agent") | {"Accept": "*/*", "MCP-Protocol-Version": VERSIONS[1]} | usual | {name: value}
        answer = api.client.post("/mcp", content=SOUND, headers=headers | {"Content-Type": JSON})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020), (name, value)
        assert CANARY not in answer.text
    assert sent(api, VERSIONS[1], SOUND, ("Mcp-Name", "assign_owner")).status_code == 400, "said twice"
    assert sql.value(database.superuser_url, "SELECT count(*) FROM actions") == 0


def test_a_body_that_does_not_come_is_not_waited_for(api: Api) -> None:
    key = api.as_role("agent")["Authorization"]
    lines = ("Host: localhost", f"Authorization: {key}", f"Content-Type: {JSON}", "Content-Length: 99")
    head = "\r\n".join(["POST /mcp HTTP/1.1", *lines, "", ""])
    with socket.create_connection((api.client.base_url.host, api.client.base_url.port or 0), timeout=20) as raw:
        raw.sendall(head.encode() + b"{")
        assert raw.recv(65536).split(b" ")[1] == b"408"


def test_garbage_on_standard_input(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> None:
    handshake = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    good = [
        {"jsonrpc": "2.0", "id": 98, "method": "initialize", "params": handshake},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 99, "method": "tools/list"},
    ]
    bad = [body.replace(b"\n", b"").replace(json.dumps(META).encode(), b"{}") for body in BODIES.values()]
    bad += [b"\x00", b"\r", b"x" * 3_000_000, b'{"jsonrpc":"2.0","id":5,"result":{}}', b'{"a":"\\ud800"}']
    lines = [*bad, json.dumps(good[0]).encode(), *bad, *(json.dumps(one).encode() for one in good[1:])]
    environment = {
        "DATABASE_URL": database.app_url, "REDIS_URL": redis_url, "REVENUEFLOW_API_KEY": add_keys(database)["agent"],
        "REVENUEFLOW_IDENTITY_KEY_FILE": str(identity_file(tmp_path)),
        "PYTHONPATH": str(Path(revenueflow.__file__).parents[1]),
    }  # fmt: skip
    command = [sys.executable, "-m", "revenueflow", "mcp", "serve", "--stdio"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=tmp_path
    ) as served_:
        assert served_.stdin is not None
        assert served_.stdout is not None
        served_.stdin.write(b"\n".join(lines) + b"\n")
        served_.stdin.flush()
        answers = []
        for line in served_.stdout:
            answers.append(json.loads(line))
            if answers[-1].get("id") == 99:
                break
        _, told = served_.communicate(timeout=20)
    assert "tools" in answers[-1].get("result", {}), [str(one)[:300] for one in answers] + [told[-3000:]]
    assert served_.returncode == 0
    assert b"Traceback" not in told
    assert CANARY.encode() not in told
    assert CANARY not in str(answers)
