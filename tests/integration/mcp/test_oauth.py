"""Tokens of an authorization server: a separate server with keys of its own, over real HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.settings.mcp import McpSettings
from tests.support.api import PUBLIC_URL, Api, add_keys, served, settings_for

ACCEPT = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


class Issuer:
    """An authorization server: metadata, keys, and tokens. `asked` counts what was read."""

    def __init__(self) -> None:
        self.keys = {"k1": ec.generate_private_key(ec.SECP256R1())}
        self.asked: list[str] = []
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                body = json.dumps(issuer.answer(self.path)).encode()
                self.send_response(200 if issuer.answer(self.path) else 404)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/tenant"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path: str) -> Any:
        """What is published there."""
        if path == "/.well-known/oauth-authorization-server/tenant":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        if path == "/tenant/keys":
            public = {name: ECAlgorithm.to_jwk(key.public_key(), as_dict=True) for name, key in self.keys.items()}
            return {"keys": [{**jwk, "kid": name, "use": "sig"} for name, jwk in public.items()]}
        return None

    def token(self, *, key: Any = None, kid: str = "k1", algorithm: str = "ES256", **changes: Any) -> str:
        """A token that is good but for the changes; None leaves a claim out."""
        claims = {
            "iss": self.url, "aud": f"{PUBLIC_URL}/mcp", "sub": "agent-7", "scope": "openid revenueflow:tools",
            "exp": time.time() + 300, "iat": time.time(),
        }  # fmt: skip
        kept = {name: value for name, value in (claims | changes).items() if value is not None}
        return jwt.encode(kept, self.keys["k1"] if key is None else key, algorithm=algorithm, headers={"kid": kid})


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    one = Issuer()
    yield one
    one.server.shutdown()


@pytest.fixture
def api(issuer: Issuer, database: DatabaseUrls, redis_url: str, tmp_path: Path) -> Iterator[Api]:
    settings = settings_for(database.app_url, redis_url, tmp_path)
    with served(settings.model_copy(update={"mcp": McpSettings(issuer=issuer.url)})) as client:
        yield Api(client, add_keys(database))


def ask(api: Api, token: str) -> Any:
    return api.client.post("/mcp", json=LIST, headers=ACCEPT | {"Authorization": f"Bearer {token}"})


def test_a_token_for_us_is_an_agent(api: Api, issuer: Issuer) -> None:
    assert ask(api, issuer.token()).status_code == 200
    assert ask(api, issuer.token(aud=["x", f"{PUBLIC_URL}/mcp"])).status_code == 200
    assert issuer.asked.count("/tenant/keys") == 1
    assert ask(api, api.keys["agent"]).status_code == 200


FORGED: dict[str, dict[str, Any]] = {
    "another audience": {"aud": "https://other.example/mcp"},
    "no audience": {"aud": None},
    "another issuer": {"iss": "https://evil.example"},
    "expired": {"exp": 1_700_000_000},
    "never expires": {"exp": None},
    "no subject": {"sub": None},
    "a stranger's key": {"key": ec.generate_private_key(ec.SECP256R1())},
    "an unknown key": {"kid": "k9"},
    "a shared secret": {"key": "x" * 64, "algorithm": "HS256"},
    "no signature": {"key": "", "algorithm": "none"},
}


@pytest.mark.parametrize("what", list(FORGED))
def test_a_token_that_is_not_for_us_is_refused(api: Api, issuer: Issuer, what: str) -> None:
    answer = ask(api, issuer.token(**FORGED[what]))
    assert answer.status_code == 401
    metadata = f'resource_metadata="{PUBLIC_URL}/.well-known/oauth-protected-resource/mcp"'
    assert metadata in answer.headers["www-authenticate"]


def test_a_token_without_our_scope_is_refused(api: Api, issuer: Issuer) -> None:
    assert ask(api, issuer.token(scope="openid")).status_code == 403


@pytest.mark.parametrize("token", ["x", "a.b.c", "..", "eyJ9.e30."])
def test_what_is_no_token(api: Api, token: str) -> None:
    assert ask(api, token).status_code == 401


def test_where_to_get_a_token(api: Api, issuer: Issuer) -> None:
    told = api.client.get("/.well-known/oauth-protected-resource/mcp").json()
    assert told["authorization_servers"] == [issuer.url]
    assert told["resource"] == f"{PUBLIC_URL}/mcp"


def test_while_the_issuer_is_away(api: Api, issuer: Issuer) -> None:
    token = issuer.token()
    issuer.server.shutdown()
    issuer.server.server_close()
    assert ask(api, token).status_code == 503
    assert ask(api, api.keys["agent"]).status_code == 200
