"""deploy/postgres/init.sql, run by psql as the image does; in its own cluster, which roles belong to."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from revenueflow.db.migrate import upgrade
from revenueflow.devserver.binaries import find_postgres
from revenueflow.devserver.postgres import Postgres

SCRIPT = Path(__file__).parents[3] / "deploy/postgres/init.sql"
PASSWORDS = {role: f"{role}-it's-1" for role in ("owner", "app", "sealer", "auditor")}


@pytest.fixture
def cluster(server_home: Path) -> Iterator[Postgres]:
    postgres = Postgres(server_home, durable=False)
    postgres.start()
    yield postgres
    postgres.destroy()


def run(cluster: Postgres, passwords: dict[str, str]) -> subprocess.CompletedProcess[str]:
    psql = find_postgres().bin / "psql"
    program = str(psql) if psql.exists() else shutil.which("psql")
    assert program, "psql belongs to PostgreSQL"
    environment = {f"REVENUEFLOW_{role.upper()}_PASSWORD": secret for role, secret in passwords.items()}
    command = [program, "--no-psqlrc", "-v", "ON_ERROR_STOP=1", cluster.url("revenueflow"), "-f", str(SCRIPT)]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=60
    )


def query(url: str, statement: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


def url(cluster: Postgres, role: str) -> str:
    return cluster.url("revenueflow", f"revenueflow_{role}", PASSWORDS[role])


def test_the_owner_migrates_and_the_others_have_what_they_need(cluster: Postgres) -> None:
    query(cluster.superuser_url, "CREATE DATABASE revenueflow")
    done = run(cluster, PASSWORDS)
    assert done.returncode == 0, done.stderr

    upgrade(url(cluster, "owner"))

    assert query(url(cluster, "owner"), "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert query(url(cluster, "app"), "SELECT '[1,2]'::vector IS NOT NULL") is True
    assert query(url(cluster, "app"), "SELECT count(*) FROM leads") == 0
    assert query(url(cluster, "sealer"), "SELECT count(*) FROM audit_pending") == 0
    assert query(url(cluster, "auditor"), "SELECT count(*) FROM audit_trail") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        query(url(cluster, "auditor"), "SELECT count(*) FROM leads")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        query(url(cluster, "app"), "CREATE TABLE mine (id int)")


def test_a_missing_password_stops_the_start(cluster: Postgres) -> None:
    query(cluster.superuser_url, "CREATE DATABASE revenueflow")
    done = run(cluster, {role: secret for role, secret in PASSWORDS.items() if role != "app"})
    assert done.returncode != 0
    assert query(cluster.superuser_url, "SELECT count(*) FROM pg_roles WHERE rolname = 'revenueflow_app'") == 0
