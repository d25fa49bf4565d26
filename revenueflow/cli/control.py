"""The schema, and the switches of the whole system."""

from __future__ import annotations

import typer

from revenueflow.audit import trail
from revenueflow.cli.run import asked, err, guarded, who
from revenueflow.db import controls
from revenueflow.db.session import Database, Session
from revenueflow.domain.outcome import AuditEntry
from revenueflow.settings import DatabaseSettings, Settings


def migrate() -> None:
    """Bring the database to the newest schema, as the owner (MIGRATION_DATABASE_URL)."""
    from revenueflow.db.migrate import upgrade

    def run() -> None:
        settings = Settings.only(DatabaseSettings)
        upgrade(settings.migration_url or settings.url)

    guarded(run)
    err.print("the schema is up to date")


def pause() -> None:
    """Stop processing, everywhere, within a second. Leads are still accepted and kept."""

    async def turn_on(database: Database) -> None:
        async with database.transaction() as session:
            await controls.turn_on(session, controls.PAUSED, by=who())
            await _audit(session, "paused")

    asked(turn_on)
    err.print("paused: webhooks are still accepted; leads in flight finish their run")


def resume() -> None:
    """Go on after `pause`."""

    async def turn_off(database: Database) -> bool:
        async with database.transaction() as session:
            was_on = await controls.turn_off(session, controls.PAUSED)
            if was_on:
                await _audit(session, "resumed")
            return was_on

    if not asked(turn_off):
        err.print("it was not paused")
        raise typer.Exit
    err.print("resumed")


async def _audit(session: Session, what: str) -> None:
    await trail.append(session, trail.Subject(), [AuditEntry(f"system.{what}", "done", actor=who())])
