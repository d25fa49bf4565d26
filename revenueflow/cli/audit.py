"""`revenueflow audit`: what auditors do. All of it runs with the auditor's database role."""

from __future__ import annotations

import asyncio
import csv
import io
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import orjson
import typer

from revenueflow.audit import checkpoint_file, keys
from revenueflow.audit.export import COLUMNS, exported
from revenueflow.audit.notes import Verifier
from revenueflow.audit.proof import proof
from revenueflow.audit.verify import Report, verify
from revenueflow.cli.jobs import moment
from revenueflow.cli.run import FAILED, RETRY_LATER, err, fail, guarded, out, show, write_json
from revenueflow.db import audit_log
from revenueflow.db.direct import Connection
from revenueflow.domain.text import neutral_cell
from revenueflow.errors import ConfigurationError, RevenueFlowError
from revenueflow.settings import DatabaseSettings, KeySettings, Settings

app = typer.Typer(help="The audit trail: verify, export, prove.", no_args_is_help=True)
KeysFile = Annotated[
    Path | None, typer.Option("--keys", help="Public keys, one on a line; default REVENUEFLOW_AUDIT_KEY_FILE.pub.")
]
T = TypeVar("T")


class Format(StrEnum):
    """Forms of an export."""

    NDJSON = "ndjson"
    CSV = "csv"


@app.command("verify")
def verify_trail(
    keys_file: KeysFile = None,
    checkpoints: Annotated[Path | None, typer.Option(help="The checkpoint file (REVENUEFLOW_CHECKPOINT_FILE).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Recompute every event, place and checkpoint. Exit code 0 intact, 1 tampered, 75 could not check.

    Example: revenueflow audit verify --keys audit.key.pub --checkpoints checkpoints.txt
    """
    file = checkpoints or _settings().checkpoint_file
    known = _verifiers(keys_file)
    try:
        outside = checkpoint_file.notes(file) if file else []
        report = asyncio.run(_read(lambda connection: verify(connection, known, outside)))
    except RevenueFlowError as error:
        fail(f"could not check: {error.detail}", RETRY_LATER)
    _tell(report, outside=file is not None, as_json=as_json)
    if not report.intact:
        raise typer.Exit(FAILED)


@app.command()
def export(
    form: Annotated[
        Format, typer.Option("--format", help="NDJSON can be verified by itself; CSV is for reading.")
    ] = Format.NDJSON,
    since: Annotated[datetime | None, typer.Option(parser=moment, metavar="TIME", help="RFC 3339, or 2h, 7d.")] = None,
    lead: Annotated[UUID | None, typer.Option(help="Only events about this lead.")] = None,
) -> None:
    """Write the sealed trail to standard output, in the order of its places.

    Example: revenueflow audit export > trail.ndjson
    """  # fmt: skip
    write = _csv_line if form is Format.CSV else _json_line

    async def each(connection: Connection) -> None:
        if form is Format.CSV:
            _put(_csv(list(COLUMNS)))
        async for event in exported(connection, since=since, lead_id=lead):
            _put(write(event))

    guarded(lambda: asyncio.run(_read(each)))


@app.command("proof")
def prove(event_id: UUID, keys_file: KeysFile = None) -> None:
    """Print a proof that an event is in the signed trail: one JSON object, for `docs/verify-audit.py`.

    Example: revenueflow audit proof 019a… > proof.json && python docs/verify-audit.py proof.json --key audit.key.pub
    """
    known = _verifiers(keys_file)
    write_json(guarded(lambda: asyncio.run(_read(lambda connection: proof(connection, event_id, known)))))


@app.command()
def checkpoint(as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Print the last signed checkpoint: keep it somewhere else, and nothing before it can be changed unseen."""
    found = guarded(lambda: asyncio.run(_read(audit_log.last_checkpoint)))
    if found is None:
        fail("no checkpoint is signed yet; `revenueflow serve sealer` signs one each minute", RETRY_LATER)
    if as_json:
        write_json({"size": found["tree_size"], "root": found["root_hash"].hex(), "note": found["note"]})
    else:
        out.print(found["note"], markup=False, end="")


def _settings() -> KeySettings:
    return guarded(lambda: Settings.only(KeySettings))


def _verifiers(file: Path | None) -> tuple[Verifier, ...]:
    try:
        return keys.read_public(file) if file else keys.verifiers(_settings().audit_key_file)
    except ConfigurationError as error:
        fail(f"could not check: {error.detail}", RETRY_LATER)


async def _read(question: Callable[[Connection], Awaitable[T]]) -> T:
    async with _snapshot() as connection:
        return await question(connection)


@asynccontextmanager
async def _snapshot() -> AsyncIterator[Connection]:
    async with audit_log.snapshot(Settings.only(DatabaseSettings).url, application="audit") as connection:
        yield connection


def _tell(report: Report, *, outside: bool, as_json: bool) -> None:
    told = asdict(report) | {"intact": report.intact}
    if as_json:
        write_json(told)
        return
    out.print(
        f"{report.events} events, {report.sealed} sealed, {report.signed} of them under a signed checkpoint"
        f" ({report.checkpoints} in Postgres, {report.outside} outside)"
    )
    if not outside:
        err.print("without a checkpoint file a database that was rolled back as a whole can't be told")
    if report.intact:
        out.print("intact")
        return
    err.print(f"TAMPERED: {report.found} problems", style="red")
    show([asdict(problem) for problem in report.problems], ["kind", "event_id", "seq", "size"], as_json=False)


def _put(line: bytes) -> None:
    sys.stdout.buffer.write(line)


def _json_line(event: dict[str, Any]) -> bytes:
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)


def _csv_line(event: dict[str, Any]) -> bytes:
    values = [event[name] for name in COLUMNS]
    return _csv([orjson.dumps(value).decode() if isinstance(value, dict) else value for value in values])


def _csv(values: list[Any]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow([neutral_cell(value) if isinstance(value, str) else value for value in values])
    return line.getvalue().encode()
