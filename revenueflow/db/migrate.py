"""Brings a database to the newest schema. Runs as the owner; the application's role may not change the schema."""

from __future__ import annotations

from pathlib import Path

from alembic import command, op
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.util import await_only

from revenueflow.db.engine import sqlalchemy_url
from revenueflow.db.session import Session

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
    """Runs every migration that has not run yet, in one transaction. Not to be called inside an event loop."""
    command.upgrade(config(owner_url), "head")


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
