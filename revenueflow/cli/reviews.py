"""The review queue: analyses that a person must look at, and what they decide."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer
from pydantic import JsonValue, ValidationError

from revenueflow import defaults
from revenueflow.cli import labelled
from revenueflow.cli.jobs import Since
from revenueflow.cli.run import asked, err, fail, out, show, who, write_json
from revenueflow.clock import utcnow
from revenueflow.db import reviews
from revenueflow.db.session import Database, Session
from revenueflow.domain.review import Decided, Decision, ReviewState
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.errors import plain
from revenueflow.grounding.cases import case
from revenueflow.pipeline import review_view
from revenueflow.pipeline.reviews import Told, decide
from revenueflow.privacy.redaction import known_values
from revenueflow.settings import General, Settings

app = typer.Typer(help="Analyses that a person must look at.", no_args_is_help=True)
COLUMNS = ["id", "lead_id", "kind", "state", "questioned", "company", "tier", "created_at"]
Json = Annotated[bool, typer.Option("--json", help="JSON.")]
Reason = Annotated[str, typer.Option(help="Why: kept with the decision, 3 to 1000 characters.")]
Claims = Annotated[list[str] | None, typer.Option("--claim", help="C1, C2, …; may be repeated.")]


@app.command("list")
def list_reviews(
    state: Annotated[ReviewState, typer.Option(help="open, decided or superseded")] = ReviewState.OPEN,
    lead: Annotated[UUID | None, typer.Option(help="Only those of this lead.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most rows.")] = 50,
    as_json: Json = False,
) -> None:
    """The queue, the one that has waited longest first.

    Example: revenueflow reviews list --state decided --json
    """

    async def read(database: Database) -> list[dict[str, Any]]:
        async with database.transaction() as session:
            rows = await reviews.page(session, limit=limit, state=state, lead_id=lead)
            return [review_view.item(row) for row in rows]

    show(asked(read), COLUMNS, as_json=as_json)


@app.command("show")
def show_review(review_id: UUID, as_json: Json = False) -> None:
    """One analysis: each claim with its evidence and the reason side by side. `?` marks those in question.

    Example: revenueflow reviews show 5d0f3a52-5b5e-5d1e-8a1c-1f2e3d4c5b6a
    """

    async def read(database: Database) -> dict[str, Any] | None:
        async with database.transaction() as session:
            row = await reviews.one(session, review_id)
            return await review_view.whole(session, row) if row else None

    found = asked(read)
    if found is None:
        fail("there is no review with this id; see `revenueflow reviews list`")
    if as_json:
        write_json(found)
        return
    claims = found.pop("claims")
    show([{"field": name, "value": value} for name, value in found.items()], ["field", "value"], as_json=False)
    out.print()
    show([{"claim": name, "said": told} for name, told in review_view.lines(claims)], ["claim", "said"], as_json=False)


@app.command("accept")
def accept(review_id: UUID, reason: Reason, claim: Claims = None, as_json: Json = False) -> None:
    """Count claims as supported: all in question, or those that are named; the others are rejected.

    Example: revenueflow reviews accept 5d0f… --claim C2 --reason "their imprint says the same"
    """
    _decide(review_id, {"decision": "accept", "reason": reason, "claims": claim or None}, as_json)


@app.command("reject")
def reject(review_id: UUID, reason: Reason, claim: Claims = None, as_json: Json = False) -> None:
    """Count the claims in question, and those that are named, as not supported.

    Example: revenueflow reviews reject 5d0f… --reason "another company of the same name"
    """
    _decide(review_id, {"decision": "reject", "reason": reason, "claims": claim or None}, as_json)


@app.command("edit")
def edit(
    review_id: UUID,
    reason: Reason,
    claim: Annotated[str, typer.Option(help="The claim to put right: C1, C2, …")],
    value: Annotated[str | None, typer.Option(help="Its value: JSON, or else text.")] = None,
    statement: Annotated[str | None, typer.Option(help="Its statement, one line.")] = None,
    accepted: Annotated[list[str] | None, typer.Option("--accept", help="Others that hold as they are.")] = None,
    as_json: Json = False,
) -> None:
    """Put a claim right; it counts as supported. Others in question are rejected unless they are accepted.

    Example: revenueflow reviews edit 5d0f… --claim C2 --value 250 --statement "It has 250 people." --reason "imprint"
    """
    edits = {claim: {"value": _value(value), "statement": statement}}
    _decide(review_id, {"decision": "edit", "reason": reason, "claims": accepted or None, "edits": edits}, as_json)


@app.command("export")
def export(
    since: Since = None,
    to: Annotated[Path | None, typer.Option("--out", dir_okay=False, help="File; else standard output.")] = None,
) -> None:
    """Decisions as labelled claims over their evidence, for `revenueflow eval grounding`; no personal data.

    Example: revenueflow reviews export --since 30d --out cases.jsonl
    """
    cases = asked(lambda database: _cases(database, since))
    if to is not None:
        labelled.write(to, cases)
    else:
        for one in cases:
            write_json(one)
    err.print(f"{len(cases)} decided reviews")


def _decide(review_id: UUID, given: dict[str, Any], as_json: bool) -> None:
    try:
        decision = Decision.model_validate(given)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        fail("; ".join(f"{_place(fault['loc'])}{plain(fault['msg'])}" for fault in faults), 2)
    folder = Settings.only(General).config_dir

    async def run(database: Database) -> Told:
        vocabulary = defaults.load(Vocabulary, "vocabulary.toml", folder)
        return await decide(database, review_id, decision, actor=who(), vocabulary=vocabulary)

    told = asked(run)
    if as_json:
        write_json(told._asdict())
    follows = {"again": "the lead is scored again", "after_live": "the lead is scored again after its run"}
    err.print(f"decided; {follows.get(told.run, 'nothing changes for the lead')}")


def _place(path: tuple[int | str, ...]) -> str:
    return f"{path[0]}: " if path else ""


def _value(text: str | None) -> JsonValue:
    if text is None:
        return None
    try:
        found: JsonValue = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return found


async def _cases(database: Database, since: datetime | None) -> list[dict[str, Any]]:
    async with database.transaction() as session:
        rows = await reviews.decided_since(session, since or utcnow().replace(year=2000))
        return [await _case(session, row) for row in rows]


async def _case(session: Session, row: dict[str, Any]) -> dict[str, Any]:
    known = known_values(row["email"], row["phone"], row["name"])
    decisions = [Decided.model_validate(one) for one in row["decisions"]]
    pieces, claims = await reviews.evidence_of(session, row["job_id"]), await reviews.claims_of(session, row["job_id"])
    return case(pieces, claims, decisions, known)
