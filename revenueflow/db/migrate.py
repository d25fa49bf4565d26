"""Brings a database to the newest schema. Runs as the owner; the application's role may not change the schema."""

from __future__ import annotations

from pathlib import Path

import asyncpg
from alembic import command, op
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.util import await_only

from revenueflow.db.engine import sqlalchemy_url
from revenueflow.db.session import Session
from revenueflow.errors import ConfigurationError, RevenueFlowError, Unavailable

_PACKAGED = Path(__file__).parent / "_migrations"
_CHECKOUT = Path(__file__).parent.parent.parent / "migrations"
MIGRATIONS = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def config(owner_url: str) -> Config:
    """Alembic's configuration for one database. `owner_url`: postgresql://…, the owner's role."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.set_main_option("path_separator", "os")
    made.attributes["url"] = sqlalchemy_url(owner_url)
    return made


def upgrade(owner_url: str) -> None:
    """Runs every migration that has not run yet, in one transaction. Not to be called inside an event loop.

    Raises Unavailable if Postgres does not answer, ConfigurationError if the role may not change the schema.
    """
    try:
        command.upgrade(config(owner_url), "head")
    except (OSError, InterfaceError, OperationalError) as error:
        raise Unavailable("Postgres does not answer", retry_after=1) from error
    except (DBAPIError, asyncpg.PostgresError) as error:
        raise _refused(error) from error


def _refused(error: DBAPIError | asyncpg.PostgresError) -> RevenueFlowError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = str(getattr(cause, "sqlstate", None))
    if state == "42501":
        return ConfigurationError("MIGRATION_DATABASE_URL: this role may not change the schema; name the owner's")
    if state.startswith(("28", "3D")):
        return ConfigurationError("MIGRATION_DATABASE_URL: Postgres knows no such role, password or database")
    if state.startswith(("08", "53", "55", "57")):
        return Unavailable("Postgres does not answer", retry_after=1)
    return RevenueFlowError(f"the migration failed and changed nothing: {cause}")


def newest() -> str:
    """The revision that this version of the program needs."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head() or ""


async def present(session: Session) -> str | None:
    """The revision that a database is at; None if it was never migrated."""
    if (await session.execute(text("SELECT to_regclass('schema_version')"))).scalar() is None:
        return None
    found: str | None = (await session.execute(text("SELECT version_num FROM schema_version"))).scalar()
    return found


def run_script(name: str) -> None:
    """For migrations: runs a file of several statements, in the migration's own transaction."""
    connection: Connection = op.get_bind()
    connection.exec_driver_sql("SELECT 1")  # the driver opens the transaction with the first statement
    driver = connection.connection.driver_connection
    if driver is None:  # pragma: no cover - a pooled connection always has one
        raise RuntimeError("no connection")
    await_only(driver.execute((MIGRATIONS / "sql" / name).read_text(encoding="utf-8")))
