"""The schema, and the switches of the whole system."""

from __future__ import annotations

import typer

from revenueflow.audit import switches
from revenueflow.cli.run import err, guarded, switched
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

    switched(switches.PROCESSING, on=True)
    err.print("paused: webhooks are still accepted; leads in flight finish their run")


def resume() -> None:
    """Go on after `pause`."""

    if not switched(switches.PROCESSING, on=False):
        err.print("it was not paused")
        raise typer.Exit
    err.print("resumed")
