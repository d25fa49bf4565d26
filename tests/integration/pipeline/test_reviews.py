"""The review queue through the real pipeline: what opens an item, what a decision does, and that it is not lost."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from revenueflow import defaults
from revenueflow.db import reviews
from revenueflow.db.dead_letters import Chosen
from revenueflow.domain.review import Decision
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.errors import Conflict, InvalidInput, NotFound, RevenueFlowError
from revenueflow.pipeline import review_view
from revenueflow.pipeline.restart import replay
from revenueflow.pipeline.reviews import Told, decide
from tests.support import sql
from tests.support.house import House
from tests.support.scripted_model import Pieces, Script, claim, of, scripted

VOCABULARY = defaults.load(Vocabulary, "vocabulary.toml")
SECRET = "zyxcanary@private.example"


def saying(size: int) -> Script:
    """A true industry, a headcount that the vendors deny and the form says, and an invented amount."""

    def write(pieces: Pieces) -> list[dict[str, Any]]:
        industry, form = of(pieces, "industry", "clearbit"), of(pieces, "headcount", "form")
        return [
            claim("industry", industry["value"], f"The company's industry is {industry['value']}.", industry["id"]),
            claim("headcount", size, f"The company has {size} employees.", form["id"], quote=str(size)),
            claim("funding_amount", 900_000_000, "The company has raised $900,000,000.", form["id"]),
        ]

    return write


conflicting = saying(9000)


def invented(pieces: Pieces) -> list[dict[str, Any]]:
    """Nothing that the evidence says."""
    return [
        claim("headcount", 50_000, "The company has 50000 employees.", "E96"),
        claim("industry", "aerospace", "The company's industry is aerospace.", of(pieces, "industry")["id"]),
    ]


async def put(home: House, id_: UUID, decision: str, *, actor: str = "cli:ann", **given: Any) -> Told:
    asked = Decision.model_validate({"decision": decision, "reason": f"as {SECRET} says", **given})
    return await decide(home.database, id_, asked, actor=actor, vocabulary=VOCABULARY)


def queue(home: House, lead: UUID) -> list[dict[str, Any]]:
    return home.rows("SELECT * FROM reviews WHERE lead_id = $1 ORDER BY run_version", lead)


def verdicts(home: House, lead: UUID) -> dict[str, tuple[str, str]]:
    rows = home.rows("SELECT * FROM claims WHERE job_id = $1", home.job(lead)["id"])
    return {row["field"]: (row["verdict"], row["decided_by"]) for row in rows}


async def ambiguous(home: House) -> tuple[UUID, UUID]:
    lead = await home.deliver(employees="9000")
    assert (await home.run(lead))["state"] == "done"
    (item,) = queue(home, lead)
    return lead, item["id"]


async def test_an_ambiguous_claim_waits_for_a_person_and_reaches_nobody(home: House) -> None:
    with scripted(home, conflicting):
        lead, id_ = await ambiguous(home)
    (item,) = queue(home, lead)
    assert (item["kind"], item["state"], orjson.loads(item["questioned"])) == ("ambiguous", "open", ["C2"])
    assert verdicts(home, lead)["headcount"] == ("ambiguous", "vendor_conflict")
    assert ("review.opened", "open") in home.audit(lead)
    (record,) = [one for one in await home.sandbox.records() if one["type"] == "lead"]
    assert "headcount" not in record["fields"]
    assert id_ == reviews.review_id(lead, 1)


async def test_claim_evidence_and_reason_stand_side_by_side(home: House) -> None:
    with scripted(home, conflicting):
        _, id_ = await ambiguous(home)
    async with home.database.transaction() as session:
        row = await reviews.one(session, id_)
        assert row
        shown = await review_view.whole(session, row)
    first = shown["claims"][0]
    assert (first["ref"], first["in_question"], first["why"]) == ("C2", True, "another source says something else")
    (cited,) = first["evidence"]
    assert (cited["provider"], cited["value"], cited["quote"], cited["span"]) == ("form", 9000, "9000", [0, 4])
    assert {one["provider"] for one in first["against"]} == {"clearbit", "hunter"}
    assert [one["in_question"] for one in shown["claims"]] == [True, False, False]


async def test_an_accepted_claim_counts_and_what_was_paid_is_not_paid_again(home: House) -> None:
    with scripted(home, conflicting) as model:
        lead, id_ = await ambiguous(home)
        before, asked = home.lead(lead), len(model.seen)
        told = await put(home, id_, "accept")
        assert (told.run, told.decisions) == ("again", {"C2": "accept"})
        assert home.lead(lead)["status"] == "processing"
        job = await home.run(lead)
        assert len(model.seen) == asked, "the model is not asked again"
    assert (job["state"], job["run_version"]) == ("done", 2)
    assert verdicts(home, lead)["headcount"] == ("supported", "review")
    after = home.lead(lead)
    assert after["fit"] > before["fit"]
    assert after["cost"] == before["cost"]
    assert [item["state"] for item in queue(home, lead)] == ["decided"]
    assert home.value("SELECT count(*) FROM evidence WHERE job_id = $1", job["id"]) > 0


async def test_a_corrected_claim_is_written_to_the_crm(home: House) -> None:
    with scripted(home, conflicting):
        lead, id_ = await ambiguous(home)
    edits = {"C2": {"value": 230, "statement": "The company has 230 employees."}}
    await put(home, id_, "edit", edits=edits)
    assert (await home.run(lead))["state"] == "done"
    (record,) = [one for one in await home.sandbox.records() if one["type"] == "lead"]
    assert record["fields"]["headcount"] == 230
    claimed = home.rows("SELECT value, statement FROM claims WHERE decided_by = 'review'")
    assert claimed == [{"value": "230", "statement": "The company has 230 employees."}]


async def test_a_rejection_of_what_did_not_count_changes_nothing(home: House) -> None:
    with scripted(home, conflicting):
        lead, id_ = await ambiguous(home)
        told = await put(home, id_, "reject")
        assert (told.run, home.job(lead)["state"]) == ("unchanged", "done")
        async with home.database.transaction():
            assert queue(home, lead)[0]["state"] == "decided"


async def test_a_supported_claim_that_a_person_rejects_no_longer_counts(home: House) -> None:
    with scripted(home, conflicting):
        lead, id_ = await ambiguous(home)
    assert verdicts(home, lead)["industry"][0] == "supported"
    await put(home, id_, "reject", claims=["C1"])
    await home.run(lead)
    assert verdicts(home, lead)["industry"] == ("unsupported", "review")
    assert home.lead(lead)["analysis_verdict"] == "rejected"
    assert [item["state"] for item in queue(home, lead)] == ["decided", "open"], "one claim nobody has looked at"


async def test_a_rejected_analysis_is_scored_by_rules_and_waits(home: House) -> None:
    with scripted(home, invented):
        lead = await home.deliver()
        await home.run(lead)
    row = home.lead(lead)
    assert (row["status"], row["analysis_verdict"], row["fit"]) == ("processed", "rejected", 0)
    (item,) = queue(home, lead)
    assert (item["kind"], orjson.loads(item["questioned"])) == ("rejected", ["C1", "C2"])
    written = str(await home.sandbox.records()) + str(await home.sandbox.requests("slack"))
    assert "50000" not in written
    assert "aerospace" not in written


async def test_a_decision_holds_when_the_lead_comes_again(home: House) -> None:
    """A new delivery makes a whole new run: the model words its claim anew, and the decision still stands."""
    with scripted(home, conflicting) as model:
        lead, id_ = await ambiguous(home)
        await put(home, id_, "accept")
        await home.run(lead)
        said = model.script

        def reworded(pieces: Pieces) -> list[dict[str, Any]]:
            return [one | {"statement": one["statement"].replace("The company", "It")} for one in said(pieces)]

        model.script = reworded
        await home.deliver(employees="9000", message="Is there any news? We want pricing.")
        job = await home.run(lead)
    assert (job["state"], job["run_version"]) == ("done", 3)
    assert verdicts(home, lead)["headcount"] == ("supported", "review")
    assert [item["state"] for item in queue(home, lead)] == ["decided"]


async def test_other_evidence_asks_again(home: House) -> None:
    with scripted(home, conflicting) as model:
        lead, id_ = await ambiguous(home)
        await put(home, id_, "accept")
        await home.run(lead)
        model.script = saying(8000)
        await home.deliver(employees="8000", message="Another one.")
        await home.run(lead)
    assert verdicts(home, lead)["headcount"] == ("ambiguous", "vendor_conflict")
    assert [item["state"] for item in queue(home, lead)] == ["decided", "open"]


async def test_a_decision_while_the_lead_runs_is_not_lost(home: House) -> None:
    with scripted(home, conflicting):
        lead, id_ = await ambiguous(home)
        await home.deliver(employees="9000", message="Hello again.")
        told = await put(home, id_, "accept")
        assert told.run == "after_live"
        await home.run(lead)
        assert (await home.run(lead))["state"] == "done"
    assert verdicts(home, lead)["headcount"] == ("supported", "review")


async def test_a_later_judgement_takes_the_place_of_an_open_item(home: House) -> None:
    with scripted(home, conflicting):
        lead, id_ = await ambiguous(home)
        await home.deliver(employees="9000", message="Hello again.")
        await home.run(lead)
        assert [item["state"] for item in queue(home, lead)] == ["superseded", "open"]
        with pytest.raises(Conflict, match="later run"):
            await put(home, id_, "accept")


async def test_a_run_that_is_judged_again_asks_anew(home: House) -> None:
    await home.sandbox.break_("crm", error_rate=1, status=400)
    with scripted(home, conflicting) as model:
        lead = await home.deliver(employees="9000")
        assert (await home.run(lead))["state"] == "parked"
        (item,) = queue(home, lead)
        model.script = lambda pieces: saying(9000)(pieces)[:1]
        sql.rows(home.urls.app_url, "DELETE FROM analyses")  # what was answered is no longer kept
        await home.sandbox.break_("crm")
        await replay(home.database, Chosen(ids=[item["job_id"]]), actor="cli:ann", from_step="analyse")
        assert [one["state"] for one in queue(home, lead)] == ["superseded"]
        with pytest.raises(Conflict):
            await put(home, item["id"], "accept")
        assert (await home.run(lead))["state"] == "done"
    assert [one["state"] for one in queue(home, lead)] == ["superseded"]


async def test_a_parked_lead_is_decided_and_runs_again_when_it_is_set_going(home: House) -> None:
    await home.sandbox.break_("crm", error_rate=1, status=400)
    with scripted(home, conflicting):
        lead = await home.deliver(employees="9000")
        job = await home.run(lead)
        (item,) = queue(home, lead)
        assert (await put(home, item["id"], "accept")).run == "after_live"
        await home.sandbox.break_("crm")
        await replay(home.database, Chosen(ids=[job["id"]]), actor="cli:ann")
        await home.run(lead)
        assert (await home.run(lead))["run_version"] == 2
    assert verdicts(home, lead)["headcount"] == ("supported", "review")


async def test_of_two_people_one_decides(home: House) -> None:
    with scripted(home, conflicting):
        lead, id_ = await ambiguous(home)
    people = [(f"cli:p{number}", ("accept", "reject")[number % 2]) for number in range(8)]
    told = await asyncio.gather(*(put(home, id_, what, actor=who) for who, what in people), return_exceptions=True)
    assert sum(isinstance(one, Told) for one in told) == 1
    assert sum(isinstance(one, RevenueFlowError) for one in told) == len(people) - 1
    assert home.value("SELECT count(*) FROM audit_events WHERE action = 'review.decided'") == 1
    assert home.value("SELECT count(*) FROM jobs WHERE lead_id = $1 AND state = 'ready'", lead) <= 1


async def test_the_same_decision_again_is_told_again(home: House) -> None:
    with scripted(home, conflicting):
        lead, id_ = await ambiguous(home)
    first = await put(home, id_, "accept")
    again = await put(home, id_, "accept")
    assert (again.replayed, again.decisions) == (True, first.decisions)
    assert home.value("SELECT count(*) FROM jobs WHERE lead_id = $1", lead) == 2
    for other in ({"actor": "cli:bob"}, {"claims": ["C1"]}, {"reason": "for another reason"}):
        with pytest.raises(Conflict, match="already"):
            await put(home, id_, "accept", **other)


@pytest.mark.parametrize(
    ("decision", "given"),
    [
        ("accept", {"claims": ["C9"]}),
        ("edit", {"edits": {"C2": {"value": "many"}}}),
        ("edit", {"edits": {"C2": {"value": [1]}}}),
        ("edit", {"edits": {"C1": {"statement": "two\nlines"}}}),
        ("edit", {"edits": {"C1": {"statement": "hidden\u202e"}}}),
    ],
)
async def test_a_decision_of_a_wrong_form_is_refused(home: House, decision: str, given: dict[str, Any]) -> None:
    with scripted(home, conflicting):
        lead, id_ = await ambiguous(home)
    with pytest.raises(InvalidInput) as refused:
        await put(home, id_, decision, **given)
    assert refused.value.faults
    assert "many" not in str(refused.value.faults)
    assert queue(home, lead)[0]["state"] == "open"


async def test_there_must_be_such_an_item(home: House) -> None:
    with pytest.raises(NotFound):
        await put(home, uuid4(), "accept")


async def test_the_trail_holds_no_word_of_the_reason(home: House) -> None:
    with scripted(home, conflicting):
        lead, id_ = await ambiguous(home)
    await put(home, id_, "edit", edits={"C2": {"value": 230, "statement": f"Ask {SECRET}: 230 employees."}})
    await home.run(lead)
    details = home.rows("SELECT actor, detail::text AS detail FROM audit_events WHERE lead_id = $1", lead)
    assert SECRET not in str(details)
    (told,) = [orjson.loads(one["detail"]) for one in details if one["actor"] == "cli:ann"]
    assert told == {"review": str(id_), "kind": "ambiguous", "claims": ["C2:edit"], "run": "again"}


async def test_a_first_run_with_nothing_open_leaves_no_item(home: House) -> None:
    lead = await home.deliver()
    await home.run(lead)
    assert queue(home, lead) == []
