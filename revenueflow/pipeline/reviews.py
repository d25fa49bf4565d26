"""What people decide about claims, and what follows from it.

A decision, its trace and the run that it asks for are one transaction. It holds for the same claim over the same
evidence in every later run of the lead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from revenueflow.analysis import prompt
from revenueflow.audit import trail
from revenueflow.db import dead_letters, leads, reviews
from revenueflow.db.session import Database, Session
from revenueflow.domain.claim import Claim, JudgedClaim
from revenueflow.domain.evidence import Evidence
from revenueflow.domain.outcome import AuditEntry
from revenueflow.domain.review import CHECK, Decided, Decision, DecisionKind, Edit, ReviewState
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.errors import Conflict, Fault, InvalidInput, NotFound
from revenueflow.grounding.reviewed import fingerprint, wrong_with
from revenueflow.pipeline.enrich import Enriched
from revenueflow.pipeline.ground import Grounded
from revenueflow.pipeline.restart import again

AGAIN = "ground"
"""The step from which a lead runs again after a decision."""


class Told(NamedTuple):
    """What a decision came to. `run`: again (begun now), after_live (when the run under way has ended), unchanged.

    `decisions` is by claim; `replayed` is true if it had been made before, by the same person in the same words.
    """

    review_id: UUID
    lead_id: UUID
    decision: DecisionKind
    decisions: dict[str, DecisionKind]
    run: str
    replayed: bool = False


class _Run(NamedTuple):
    """The judged run that an item is about."""

    claims: dict[str, JudgedClaim]
    evidence: dict[str, Evidence]


async def decide(database: Database, id_: UUID, decision: Decision, *, actor: str, vocabulary: Vocabulary) -> Told:
    """Decides an item. Raises NotFound, InvalidInput, and Conflict if it is not open (any more).

    The same decision by the same person, asked for again, is told again and changes nothing.
    """
    async with database.transaction() as session:
        item = await _held(session, id_)
        run = await _run(session, item)
        made = list(_made(decision, run, item["questioned"], vocabulary))
        if item["state"] != ReviewState.OPEN:
            return _settled(item, decision, made, actor)
        values = {"decision": decision.decision.value, "reason": decision.reason, "decided_by": actor}
        await reviews.decide(session, id_, values | {"decisions": [one.model_dump(mode="json") for one in made]})
        follows = await _follow(session, item) if _changes(made, run) else "unchanged"
        told = Told(id_, item["lead_id"], decision.decision, {one.ref: one.decision for one in made}, follows)
        await _audit(session, item, told, actor)
    return told


async def _held(session: Session, id_: UUID) -> dict[str, Any]:
    found = await reviews.one(session, id_)
    item = await reviews.locked(session, id_, found["lead_id"]) if found else None
    if item is None:
        raise NotFound("there is no review with this id")
    return item


async def _run(session: Session, item: Mapping[str, Any]) -> _Run:
    """The run as its own checkpoints have it: what a later run is compared with, to the letter."""
    lead = await leads.get(session, item["lead_id"])
    kept = {one.name: one.output for one in await dead_letters.checkpoints(session, [item["job_id"]])}
    if lead is None or lead["erased_at"] or not {"enrich", "ground"} <= set(kept):
        raise Conflict("what this review is about is not there any more")
    judgement = Grounded.model_validate(kept["ground"]).judgement
    evidence = prompt.numbered(Enriched.model_validate(kept["enrich"]).evidence)
    return _Run({one.claim.id: one for one in judgement.claims}, evidence)


def _made(decision: Decision, run: _Run, questioned: list[str], vocabulary: Vocabulary) -> Iterator[Decided]:
    """The decision, claim by claim. Raises InvalidInput for a claim that is not there, or put right in a wrong form."""
    named = decision.claims or (() if decision.edits else tuple(questioned))
    for place, ref in (*(("/claims", ref) for ref in named), *(("/edits", ref) for ref in decision.edits)):
        _check_ref(place, ref, run)
    accepted = () if decision.decision is DecisionKind.REJECT else named
    for ref in dict.fromkeys((*questioned, *named, *decision.edits)):
        judged = run.claims[ref]
        kind, claim = DecisionKind.REJECT, judged.claim
        if ref in decision.edits:
            kind, claim = DecisionKind.EDIT, _edited(claim, decision.edits[ref], vocabulary)
        elif ref in accepted:
            kind = DecisionKind.ACCEPT
        known = fingerprint(judged, run.evidence, vocabulary)
        yield Decided(ref=ref, fingerprint=known, decision=kind, value=claim.value, statement=claim.statement)


def _check_ref(place: str, ref: str, run: _Run) -> None:
    if ref not in run.claims:
        raise InvalidInput("the decision names a claim that is not there", faults=(Fault(place, "no such claim"),))
    if run.claims[ref].verdict.decided_by == CHECK:
        fault = Fault(place, "a person has decided about this claim before")
        raise InvalidInput("the decision names a claim that is decided", faults=(fault,))


def _edited(claim: Claim, edit: Edit, vocabulary: Vocabulary) -> Claim:
    given = edit.model_dump(exclude_none=True)
    edited = claim.model_copy(update=given)
    if wrong := wrong_with(edited, vocabulary):
        raise InvalidInput(f"{claim.id}: {wrong}", faults=(Fault(f"/edits/{claim.id}", wrong),))
    return edited


def _settled(item: Mapping[str, Any], decision: Decision, made: list[Decided], actor: str) -> Told:
    """The same again, or too late."""
    if item["state"] == ReviewState.SUPERSEDED:
        raise Conflict("a later run of this lead was judged meanwhile; see whether that is in the queue")
    same = item["decisions"] == [one.model_dump(mode="json") for one in made]
    if not same or (item["decided_by"], item["decision"], item["reason"]) != (
        actor,
        decision.decision,
        decision.reason,
    ):
        raise Conflict("somebody has decided this review already")
    decisions = {one.ref: one.decision for one in made}
    return Told(item["id"], item["lead_id"], decision.decision, decisions, "unchanged", replayed=True)


def _changes(made: list[Decided], run: _Run) -> bool:
    """True if a claim counts now that did not, or the other way round."""
    edited = any(one.decision is DecisionKind.EDIT for one in made)
    return edited or any((one.decision is DecisionKind.ACCEPT) != run.claims[one.ref].supported for one in made)


async def _follow(session: Session, item: Mapping[str, Any]) -> str:
    """The lead runs again with what it has, from the judgement on; or after the run that is under way."""
    ended = await reviews.run_of(session, item["job_id"])
    if ended is None:
        raise Conflict("the run that this review is about is not there any more")
    fresh = await again(session, ended | {"id": item["job_id"]}, AGAIN)
    return "again" if fresh.made else "after_live"


async def _audit(session: Session, item: Mapping[str, Any], told: Told, actor: str) -> None:
    claims = [f"{ref}:{kind.value}" for ref, kind in told.decisions.items()]
    detail = {"review": str(told.review_id), "kind": item["kind"], "claims": claims, "run": told.run}
    entry = AuditEntry("review.decided", told.decision.value, detail, actor=actor)
    await trail.append(session, trail.Subject(item["lead_id"], item["job_id"]), [entry])
