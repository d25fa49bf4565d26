"""`revenueflow score`: what the rows of a file are worth, without storing them."""

from __future__ import annotations

import asyncio
import csv
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Annotated, TextIO

import orjson
import typer
from pydantic import ValidationError

from revenueflow import defaults
from revenueflow.analysis.offers import Offer
from revenueflow.cli import routing_files
from revenueflow.cli.feeding import Feed, Progress
from revenueflow.cli.routing_eval import RepsFile, RulesFile
from revenueflow.cli.run import INTERRUPTED, err, fail, guarded
from revenueflow.defaults import key_paths
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.errors import ConfigurationError
from revenueflow.grounding.rules import GroundingRules
from revenueflow.pipeline import results
from revenueflow.pipeline.file_owners import FileOwners
from revenueflow.pipeline.score_file import ByModel, ByRules, Choice, Scorer, score_rows
from revenueflow.resilience import heap
from revenueflow.scoring.profile import Profile
from revenueflow.settings import General, Settings
from revenueflow.sources.csv import columns
from revenueflow.sources.csv.reader import Reader
from revenueflow.telemetry import logs
from revenueflow.wiring import files, profiles
from revenueflow.wiring.analysts import analysts


def score(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV with a header; - is standard input.")],
    offer: Annotated[
        Path | None, typer.Option(metavar="OFFER.json", help="What you sell: name, value_propositions, …")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="Scoring profile; default: of the offer, or campaign.")
    ] = None,
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="Write here; default: standard output.")] = None,
    no_ai: Annotated[bool, typer.Option("--no-ai", help="By rules alone: no model, no database.")] = False,
    rules: RulesFile = None,
    reps: RepsFile = None,
) -> None:
    """Score and route a CSV of leads without storing anything. Rows keep their order and their lead_id.

    Columns in, with the usual other names: lead_id, name, email, phone, role, company, industry, location,
    linkedin_bio, source, company_size.

    Example: revenueflow score leads.csv --offer offer.json --profile dual_layer --out scored.csv
    """
    if str(file) != "-" and (file.is_dir() or not os.access(file, os.R_OK)):
        raise typer.BadParameter("there is no such file, or it can't be read", param_hint="FILE")
    given = _offer(offer) if offer else None
    folder = guarded(lambda: Settings.only(General)).config_dir
    choice = guarded(
        lambda: Choice(files.profiles(folder), chosen(profile or (given.profile if given else None), folder))
    )
    owners = guarded(lambda: _owners(rules, reps, folder))
    logs.configure("warning", stream=sys.stderr)  # standard output is for the rows
    began = perf_counter()
    try:
        rows = guarded(lambda: asyncio.run(_run(file, out, choice, given, folder, owners, no_ai=no_ai)))
    except KeyboardInterrupt:
        fail("interrupted", INTERRUPTED)
    err.print(f"{rows} rows in {perf_counter() - began:.1f} s", markup=False)


def chosen(name: str | None, folder: Path | None) -> Profile | None:
    """A profile by its name, or by the path of its file. Raises ConfigurationError."""
    if name is None:
        return None
    if name.endswith(".toml"):
        return profiles.draft(Path(name).resolve(), folder)
    known = files.profile_names(folder)
    if name not in known:
        raise ConfigurationError(f"there is no profile of this name; known are {', '.join(known)}")
    return files.profile(name, folder)


def _offer(path: Path) -> Offer:
    given = None
    try:
        given = orjson.loads(path.read_bytes())
        return Offer.model_validate(given)
    except OSError as error:
        fail(f"{path}: can't be read: {error.strerror}")
    except orjson.JSONDecodeError as error:
        fail(f"{path}: not JSON: line {error.lineno}, column {error.colno}")
    except ValidationError as error:
        found = key_paths.mistakes(Offer, given, error)
        told = [f"{'.'.join(map(str, place)) or 'the file'}: {said}" for place, said in found]
        fail("; ".join(f"{path}: {one}" for one in told))


def _owners(rules: Path | None, reps: Path | None, folder: Path | None) -> FileOwners | None:
    """Who routes the rows; None if the reps are in the database, and no file names them."""
    table = routing_files.rules(rules, reps)
    if table.reps_in == "database" and not table.reps:
        err.print("no owners: the rules take their reps from the database; name them with --reps", style="yellow")
        return None
    return FileOwners(table, defaults.load(Vocabulary, "vocabulary.toml", folder))


async def _run(
    file: Path,
    out: Path | None,
    choice: Choice,
    offer: Offer | None,
    folder: Path | None,
    owners: FileOwners | None,
    *,
    no_ai: bool,
) -> int:
    rows, written = 0, results.Rows()
    with ExitStack() as stack:
        feed = stack.enter_context(Feed(file))
        progress = stack.enter_context(Progress(feed))
        writer = csv.writer(stack.enter_context(_output(out)))
        writer.writerow(results.COLUMNS)
        async with _scorer(choice, offer, folder, no_ai=no_ai) as scorer:
            heap.settle()
            async for row in score_rows(feed.pieces(), Reader(columns.Choice(), folder), scorer):
                form, campaign_id = row.given.form, row.given.campaign_id
                owner = owners.owner(form, campaign_id, row.score.tier) if owners else ""
                writer.writerow(written.cells(row, owner))
                rows += 1
                if rows % 1000 == 0:
                    progress.show(rows)
    return rows


@asynccontextmanager
async def _scorer(choice: Choice, offer: Offer | None, folder: Path | None, *, no_ai: bool) -> AsyncIterator[Scorer]:
    vocabulary = defaults.load(Vocabulary, "vocabulary.toml", folder)
    if no_ai:
        yield ByRules(choice, vocabulary)
        return
    grounding = defaults.load(GroundingRules, "grounding.toml", folder)
    async with analysts(vocabulary, folder) as asked:
        yield ByModel(choice, asked, files.prompt(folder), vocabulary, grounding, offer.text if offer else None)


@contextmanager
def _written(path: Path) -> Iterator[TextIO]:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        fail(f"{path}: can't be written: {error.strerror}")


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    """Standard output; or a file that is there when all of it is, readable by its owner only: it holds names."""
    if path is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    path = path.resolve()
    if path.exists() and not path.is_file():  # a device or a pipe: renaming a file over it would take it away
        with _written(path) as file:
            yield file
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        opened = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(path)
    except OSError as error:
        fail(f"{path}: can't be written: {error.strerror}")
    finally:
        part.unlink(missing_ok=True)
