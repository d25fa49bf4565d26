"""The roles and databases of RevenueFlow in a PostgreSQL cluster; used by `up` and by the tests.

The owner runs migrations; it is no superuser, so what works here works on a managed PostgreSQL. Migrations
make the group roles (application, sealer, auditor) without a login; here they get one. Every password is
derived from the superuser's, so there is nothing to store and every run finds the same.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import asyncpg

from revenueflow.devserver import blocking
from revenueflow.devserver.errors import DevServerError

OWNER = "revenueflow_owner"
APPLICATION = "revenueflow_app"
SEALER = "revenueflow_sealer"
AUDITOR = "revenueflow_auditor"
GROUP_ROLES = (APPLICATION, SEALER, AUDITOR)

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_BOOTSTRAP_LOCK = 0x52464C4F57  # roles belong to the whole cluster: parallel bootstraps take turns


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """One database, seen by each role."""

    name: str
    superuser_url: str
    owner_url: str
    app_url: str
    sealer_url: str
    auditor_url: str


class DatabaseUnusable(DevServerError):
    """The cluster can't hold our database."""

    code = "devserver_database"
    title = "Database can't be prepared"


def prepare_database(superuser_url: str, name: str) -> DatabaseUrls:
    """The owner role, an empty database of its own, and pgvector in it. Any of them may exist already.

    Group roles that exist get their logins; call `enable_logins` after the first migration of a cluster.
    """
    blocking.run(_prepare(superuser_url, _checked(name)))
    return database_urls(superuser_url, name)


def enable_logins(superuser_url: str) -> None:
    """Give those of the group roles that exist LOGIN and their derived password."""
    blocking.run(_enable_logins(superuser_url))


def provision(superuser_url: str, name: str) -> DatabaseUrls:
    """A database at the newest migration, every role able to log in. Can be repeated."""
    from revenueflow.db.migrate import upgrade  # alembic is slow to import, and only this function needs it

    urls = prepare_database(superuser_url, name)
    blocking.call(lambda: upgrade(urls.owner_url))
    enable_logins(superuser_url)
    return urls


def make_template(superuser_url: str, name: str) -> None:
    """Close a database to connections and mark it as a template, so that copies can be made at any time.

    First what every copy would have to do again: its rows are marked as old, and what a connection reads of the
    catalogue at its start is written to one file.
    """
    database = _database_url(superuser_url, name)
    blocking.run(_execute(database, "VACUUM (FREEZE)"))
    blocking.run(_execute(database, "SELECT 1"))
    blocking.run(_execute(superuser_url, f"ALTER DATABASE {_checked(name)} IS_TEMPLATE true ALLOW_CONNECTIONS false"))


def drop_database(superuser_url: str, name: str) -> None:
    """Remove a database, ending whatever is connected to it. Does nothing when there is none."""
    blocking.run(_drop(superuser_url, _checked(name)))


def database_urls(superuser_url: str, name: str) -> DatabaseUrls:
    """The DSNs of a database by role. Asks nothing."""

    def login(role: str) -> str:
        return _url(superuser_url, name, role, role_password(superuser_url, role))

    parts = urlsplit(superuser_url)
    superuser = _url(superuser_url, name, unquote(parts.username or ""), unquote(parts.password or ""))
    return DatabaseUrls(name, superuser, login(OWNER), login(APPLICATION), login(SEALER), login(AUDITOR))


def role_password(superuser_url: str, role: str) -> str:
    """The password of one of our roles: 64 hexadecimal digits."""
    secret = unquote(urlsplit(superuser_url).password or "")
    return hmac.new(secret.encode(), f"revenueflow role v1 {role}".encode(), hashlib.sha256).hexdigest()


def _url(base: str, database: str, user: str, password: str) -> str:
    parts = urlsplit(base)
    host = parts.netloc.rpartition("@")[2]
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{host}/{quote(database)}{query}"


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise DatabaseUnusable("A database name is lower-case letters, digits and underscores, at most 63.")
    return name


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def _execute(url: str, statement: str) -> None:
    async with _connected(url) as connection:
        await connection.execute(statement)


async def _prepare(superuser_url: str, name: str) -> None:
    async with _connected(superuser_url) as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", _BOOTSTRAP_LOCK)
        await _ensure_owner(connection, role_password(superuser_url, OWNER))
        await _give_logins(connection, superuser_url)
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE template0 ENCODING 'UTF8'")
    await _ensure_vector(_database_url(superuser_url, name))


async def _ensure_owner(connection: Any, password: str) -> None:
    exists = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", OWNER)
    verb = "ALTER" if exists else "CREATE"
    await connection.execute(f"{verb} ROLE {OWNER} LOGIN CREATEROLE NOSUPERUSER PASSWORD '{password}'")


async def _ensure_vector(url: str) -> None:
    async with _connected(url) as connection:
        try:
            await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        except (asyncpg.UndefinedFileError, asyncpg.FeatureNotSupportedError):
            raise DatabaseUnusable("This PostgreSQL has no pgvector: install the extension `vector` for it.") from None


async def _enable_logins(superuser_url: str) -> None:
    async with _connected(superuser_url) as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", _BOOTSTRAP_LOCK)
        await _give_logins(connection, superuser_url)


async def _give_logins(connection: Any, superuser_url: str) -> None:
    rows = await connection.fetch("SELECT rolname FROM pg_roles WHERE rolname = ANY($1::text[])", list(GROUP_ROLES))
    for (role,) in rows:
        await connection.execute(f"ALTER ROLE {role} LOGIN PASSWORD '{role_password(superuser_url, role)}'")


async def _drop(superuser_url: str, name: str) -> None:
    async with _connected(superuser_url) as connection:
        await connection.execute(
            "UPDATE pg_database SET datistemplate = false, datallowconn = true WHERE datname = $1", name
        )
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _database_url(superuser_url: str, name: str) -> str:
    return database_urls(superuser_url, name).superuser_url
