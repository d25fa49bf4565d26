"""The real API, served by uvicorn on a loopback port, with one key for each role."""

from __future__ import annotations

import asyncio
import base64
import hmac
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from pydantic import SecretStr

from revenueflow.api.app import create_app
from revenueflow.api.deadlines import protocol
from revenueflow.db import api_keys
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.devserver.server import free_port
from revenueflow.privacy.identity import IdentityKey
from revenueflow.resilience.http import tls
from revenueflow.settings import (
    ApiSettings,
    DatabaseSettings,
    General,
    KeySettings,
    RedisSettings,
    Settings,
    WebhookSettings,
)
from tests.support import configured, forks, sql
from tests.support.processes import until

IDENTITY = bytes(range(32))
MARKETO_SECRET = "marketo-secret"
HUBSPOT_SECRET = "hubspot-secret"
STANDARD_SECRET = "whsec_" + base64.b64encode(b"standard-webhooks-secret").decode()
PUBLIC_URL = "https://hooks.customer.example"
BODY_LIMIT = 4096
IMPORT_LIMIT = 65536
MARKETO_HEADERS = {"X-RevenueFlow-Secret": MARKETO_SECRET}


@dataclass(frozen=True, slots=True)
class Api:
    """A running API: a client whose base URL it is, and the keys by role."""

    client: httpx2.Client
    keys: dict[str, str]

    def as_role(self, role: str) -> dict[str, str]:
        """The header of a caller with this role."""
        return {"Authorization": f"Bearer {self.keys[role]}"}

    def marketo(self, body: object) -> httpx2.Response:
        """A call of a Marketo webhook."""
        return self.client.post("/webhooks/marketo", json=body, headers=MARKETO_HEADERS)

    def send(self, body: object, **headers: str) -> httpx2.Response:
        """A lead through our own API."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post("/v1/leads", json=body, headers=self.as_role("ingest") | given)

    def read(self, path: str, role: str = "reader") -> httpx2.Response:
        """A GET with a role."""
        return self.client.get(path, headers=self.as_role(role))


def identity_file(folder: Path) -> Path:
    """A file with the identity key of all tests."""
    path = folder / "identity.key"
    path.write_text(IDENTITY.hex())
    return path


def identity() -> IdentityKey:
    """The key in that file."""
    return IdentityKey(IDENTITY)


def api_settings(**given: Any) -> ApiSettings:
    """Small caps, and no limit on failed authentications that the tests of a worker could reach together."""
    usual = {"body_limit": BODY_LIMIT, "import_limit": IMPORT_LIMIT, "unauthenticated_limit": 100_000}
    return ApiSettings(public_url=PUBLIC_URL, **(usual | given))


def settings_for(
    database_url: str, redis_url: str, folder: Path, *, pool_size: int = 5, api: ApiSettings | None = None
) -> Settings:
    """Settings that read neither `.env` nor the environment where it matters."""
    return configured.settings(
        database=DatabaseSettings(url=database_url, pool_size=pool_size),
        redis=RedisSettings(url=redis_url),
        api=api or api_settings(),
        webhooks=WebhookSettings(
            marketo_secrets=(SecretStr("an older secret"), SecretStr(MARKETO_SECRET)),
            hubspot_secrets=(SecretStr(HUBSPOT_SECRET),),
            standard_secrets=(SecretStr(STANDARD_SECRET),),
        ),
        keys=KeySettings(identity_key_file=identity_file(folder)),
        general=General(config_dir=None),
    )


def add_keys(database: DatabaseUrls) -> dict[str, str]:
    """A key for each role."""
    keys = {role: api_keys.new_key() for role in api_keys.ROLES}
    insert = """
        INSERT INTO api_keys (key_sha256, prefix, role, name)
        SELECT digest, prefix, role, role FROM unnest($1::bytea[], $2::text[], $3::text[]) AS new (digest, prefix, role)
    """
    digests, prefixes = [api_keys.digest(key) for key in keys.values()], [key[:7] for key in keys.values()]
    sql.rows(database.app_url, insert, digests, prefixes, list(keys))
    return keys


@contextmanager
def served(settings: Settings) -> Iterator[httpx2.Client]:
    """The API of these settings, in a thread of its own, and a client for it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            create_app(settings), log_config=None, server_header=False, http=protocol(settings.api), ws="none",
            loop="uvloop", timeout_graceful_shutdown=5,
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            with httpx2.Client(base_url=url, timeout=20, verify=tls()) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(15)


@contextmanager
def serving(database_url: str, redis_url: str, folder: Path, **variables: str) -> Iterator[tuple[int, int]]:
    """The API as a process of its own: its port and its pid."""
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("REVENUEFLOW_")} | {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "REVENUEFLOW_IDENTITY_KEY_FILE": str(identity_file(folder)),
        "REVENUEFLOW_PUBLIC_URL": PUBLIC_URL,
        "MARKETO_WEBHOOK_SECRET": MARKETO_SECRET,
        "HUBSPOT_CLIENT_SECRET": HUBSPOT_SECRET,
        "REVENUEFLOW_WEBHOOK_SECRET": STANDARD_SECRET,
    }
    arguments = ("serve", "api", "--port", str(port))
    child = forks.revenueflow(*arguments, env=env | variables, out=folder / "api.log", cwd=folder)
    try:
        until(lambda: child.poll() is not None or _answers(port), seconds=30)
        yield port, child.pid
    finally:
        child.stop()


def _answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/livez", trust_env=False, verify=tls()).is_success
    except httpx2.TransportError:
        return False


def hubspot_headers(
    body: bytes, *, url: str = f"{PUBLIC_URL}/webhooks/hubspot", secret: str = HUBSPOT_SECRET, at: float | None = None
) -> dict[str, str]:
    """Signature v3 as HubSpot makes it; `at` in seconds."""
    stamp = str(int((time.time() if at is None else at) * 1000))
    digest = hmac.new(secret.encode(), b"POST" + url.encode() + body + stamp.encode(), sha256).digest()
    return {"X-HubSpot-Signature-v3": base64.b64encode(digest).decode(), "X-HubSpot-Request-Timestamp": stamp}


def standard_headers(body: bytes, *, id_: str, at: float | None = None) -> dict[str, str]:
    """A Standard Webhooks signature; `at` in seconds."""
    stamp = str(int(time.time() if at is None else at))
    key = base64.b64decode(STANDARD_SECRET.removeprefix("whsec_"))
    digest = hmac.new(key, f"{id_}.{stamp}.".encode() + body, sha256).digest()
    signature = "v1,bm90IHRoaXM= v1," + base64.b64encode(digest).decode()
    return {"webhook-id": id_, "webhook-timestamp": stamp, "webhook-signature": signature}


def at_once(calls: int, call: Callable[[int], httpx2.Response]) -> list[httpx2.Response]:
    """The answers of `call(n)` for n in range(calls), all under way together."""

    async def run() -> list[httpx2.Response]:
        return list(await asyncio.gather(*(asyncio.to_thread(call, n) for n in range(calls))))

    return asyncio.run(run())
