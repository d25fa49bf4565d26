"""What sales did with leads, for people at a terminal."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import typer
from pydantic import ValidationError

from revenueflow.cli.run import FAILED, asked, err, fail, show, who, write_json
from revenueflow.clock import utcnow
from revenueflow.db import outcomes
from revenueflow.db.session import Database
from revenueflow.domain.sales import OutcomeKind, SalesOutcome, minor_units
from revenueflow.errors import Conflict, InvalidInput, NotFound, Refused, plain
from revenueflow.pipeline.outcomes import Told, record

NEEDED = ("lead_id", "outcome", "at")
COLUMNS = (*NEEDED, "value", "currency")
app = typer.Typer(help="What sales did with leads: touched, meeting, converted, won, lost.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="JSON.")]


class Row(NamedTuple):
    """A line of a file, and what it says; or why it can't be used."""

    line: int
    lead_id: UUID | None = None
    said: SalesOutcome | None = None
    wrong: str = ""


@app.command("record")
def record_outcome(
    lead_id: UUID,
    outcome: Annotated[OutcomeKind, typer.Argument(case_sensitive=False)],
    at: Annotated[str | None, typer.Option(help="When, as 2026-11-20T10:05:00Z; now if it is not given.")] = None,
    value: Annotated[str | None, typer.Option(help="What it is worth, such as 1200.50; with --currency.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217, such as EUR.")] = None,
    as_json: Json = False,
) -> None:
    """Record what happened with a lead. The first touch ends its timer.

    Example: revenueflow outcomes record 5d0f3a52-5b5e-5d1e-8a1c-1f2e3d4c5b6a won --value 12000 --currency EUR
    """
    try:
        said = _said(outcome, at or utcnow().isoformat(), value, currency)
    except ValueError as error:
        fail(_why(error), 2)
    told = asked(lambda database: record(database, lead_id, said, actor=who(), trace_id=None))
    if as_json:
        write_json(told._asdict())
    err.print("known already, nothing changed" if told.replayed else f"recorded; the lead's stage is {told.stage}")


@app.command("import")
def import_outcomes(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV with a header; - is standard input.")],
    as_json: Json = False,
) -> None:
    """Record the outcomes of a CSV: lead_id, outcome, at and, if there is one, value and currency.

    The same file again changes nothing. Rows that can't be used are named with their line; all others are recorded, and
    the exit code is 1. `at` is a time, such as 2026-11-20T10:05:00Z: a date alone is refused, as it says of no lead how
    soon it was touched.

    Example: revenueflow outcomes import outcomes.csv
    """
    rows = list(_rows(file))
    counts = asked(lambda database: _record_all(database, rows))
    show([counts], list(counts), as_json=as_json)
    if counts["rejected"]:
        raise typer.Exit(FAILED)


@app.command("list")
def list_outcomes(
    lead: Annotated[UUID | None, typer.Option(help="Only those of this lead.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most rows.")] = 50,
    as_json: Json = False,
) -> None:
    """What was recorded, the latest first.

    Example: revenueflow outcomes list --lead 5d0f3a52-5b5e-5d1e-8a1c-1f2e3d4c5b6a
    """

    async def read(database: Database) -> list[dict[str, Any]]:
        async with database.transaction() as session:
            return await outcomes.page(session, limit=limit, lead_id=lead)

    columns = ["lead_id", "kind", "happened_at", "value_minor", "currency", "owner_id", "recorded_by", "recorded_at"]
    show(asked(read), columns, as_json=as_json)


def _said(outcome: str, at: str, value: str | None, currency: str | None) -> SalesOutcome:
    """Raises ValueError (of pydantic, or with a sentence)."""
    if (value is None) != (currency is None):
        raise ValueError("give value and currency together, or neither")
    minor = minor_units(value, currency) if value is not None and currency is not None else None
    return SalesOutcome.model_validate({"outcome": outcome, "at": at, "value_minor": minor, "currency": currency})


def _why(error: ValueError) -> str:
    """What is wrong and where; never what stands there."""
    if not isinstance(error, ValidationError):
        return str(error)
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(": ".join([*map(str, fault["loc"][:1]), plain(fault["msg"])]) for fault in faults)


def _rows(file: Path) -> Iterator[Row]:
    try:
        held = nullcontext(sys.stdin) if str(file) == "-" else file.open(encoding="utf-8-sig", newline="")
        with held as lines:
            reader = csv.DictReader(lines, strict=True)
            names = [name.strip().lower() for name in reader.fieldnames or ()]
            if missing := [name for name in NEEDED if name not in names]:
                fail(f"columns that must be there: {', '.join(missing)}", 2)
            if unknown := [number for number, name in enumerate(names, 1) if name not in COLUMNS]:
                fail(f"columns {', '.join(map(str, unknown))}: must be among {', '.join(COLUMNS)}", 2)
            reader.fieldnames = names
            for given in reader:
                yield _row(reader.line_num, given)
    except (OSError, UnicodeDecodeError, csv.Error):
        fail("the file can't be read as a CSV in UTF-8", 2)


def _row(line: int, given: Mapping[str | None, Any]) -> Row:
    if None in given or None in (given[name] for name in NEEDED):
        return Row(line, wrong="must have as many fields as the header")
    told = {name: (given.get(name) or "").strip() or None for name in COLUMNS}
    try:
        lead_id = UUID(told["lead_id"] or "")
    except ValueError:
        return Row(line, wrong="lead_id: must be the id of a lead")
    try:
        said = _said((told["outcome"] or "").lower(), told["at"] or "", told["value"], told["currency"])
    except ValueError as error:
        return Row(line, wrong=_why(error))
    return Row(line, lead_id, said)


async def _record_all(database: Database, rows: list[Row]) -> dict[str, int]:
    counts = {"rows": len(rows), "recorded": 0, "known": 0, "rejected": 0}
    for row in rows:
        told = await _record(database, row)
        if isinstance(told, str):
            err.print(f"line {row.line}: {told}", markup=False)
            counts["rejected"] += 1
        else:
            counts["known" if told.replayed else "recorded"] += 1
    return counts


async def _record(database: Database, row: Row) -> Told | str:
    """What it came to, or why it was not recorded."""
    if row.lead_id is None or row.said is None:
        return row.wrong
    try:
        return await record(database, row.lead_id, row.said, actor=who(), trace_id=None)
    except InvalidInput as error:
        return "; ".join(f"{fault.pointer.lstrip('/')}: {fault.detail}" for fault in error.faults) or error.detail
    except (NotFound, Conflict, Refused) as error:
        return error.detail
