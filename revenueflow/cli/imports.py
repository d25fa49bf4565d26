"""CSV files from the command line, through the same durable path as every webhook."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Annotated

import typer

from revenueflow.cli.run import guarded, show
from revenueflow.db.direct import Direct
from revenueflow.privacy.identity_file import identity_key
from revenueflow.settings import DatabaseSettings, General, KeySettings, Settings
from revenueflow.sources import csv
from revenueflow.sources.csv import Imported
from revenueflow.sources.ingress import Ingress


def import_csv(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A CSV with a header.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be stored; store nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON.")] = False,
) -> None:
    """Import leads from a CSV. The same file again stores nothing twice.

    Example: revenueflow import leads.csv
    """
    data = file.read_bytes()
    folder = guarded(lambda: Settings.only(General)).config_dir
    if dry_run:
        rows = guarded(lambda: list(csv.rows(data, folder)))
        filled = [one.understood.model_dump(exclude_none=True)["form"] for one in rows if one.understood]
        show([{"rows": len(rows), "columns": ", ".join(sorted({n for f in filled for n in f}))}], ["rows", "columns"],
             as_json=as_json)  # fmt: skip
        return

    async def store() -> Imported:
        async with Direct(Settings.only(DatabaseSettings), application="import") as direct:
            ingress = Ingress(direct, identity_key(Settings.only(KeySettings)))
            return await csv.store(data, ingress, secrets.token_hex(16), folder)

    done = guarded(lambda: asyncio.run(store()))
    row = {
        "rows": done.rows,
        "accepted": done.accepted,
        "duplicates": done.duplicates,
        "quarantined": done.quarantined,
    }
    show([row], list(row), as_json=as_json)
