"""The rules analyst claims what the evidence holds, best source first, and nothing that it can't read."""

from __future__ import annotations

from functools import cache

from revenueflow import defaults
from revenueflow.analysis.models.rules import Rules
from revenueflow.domain.claim import ClaimField
from revenueflow.domain.evidence import Trust
from revenueflow.domain.lead import Intent
from revenueflow.domain.vocabulary import Vocabulary
from tests.unit.analysis.evidence import piece, prompt

SELF = Trust.SELF_REPORTED


@cache
def rules() -> Rules:
    return Rules(defaults.load(Vocabulary, "vocabulary.toml"))


async def test_a_claim_cites_path_and_quote() -> None:
    found = await rules().analyse(prompt(piece("headcount", 240)))
    (claim,) = found.claims
    assert (claim.id, claim.field, claim.value) == ("C1", ClaimField.HEADCOUNT, 240)
    assert claim.citations[0].model_dump() == {
        "evidence_id": "E1",
        "json_path": "$.headcount",
        "quote": "240",
    }
    assert "240" in claim.statement


async def test_a_vendor_goes_before_the_form_and_the_newest_before_the_older() -> None:
    form = piece("headcount", "9000", provider="form", trust=SELF, number=50)
    older, newer = piece("headcount", 240, number=1), piece("headcount", 260, provider="hunter", number=2)
    found = await rules().analyse(prompt(form, older, newer))
    assert [(claim.value, claim.citations[0].evidence_id) for claim in found.claims] == [(260, "E3")]


async def test_null_and_unreadable_values_are_not_claimed() -> None:
    found = await rules().analyse(
        prompt(
            piece("headcount", None),
            piece("headcount", "many"),
            piece("country", "Atlantis"),
            piece("technologies", []),
        )
    )
    assert found.claims == ()
    assert (found.fit, found.intent) == (0, Intent.LOW)


async def test_a_technology_is_claimed_once() -> None:
    lists = [
        piece("technologies", ["Salesforce", "HubSpot", "AWS", "Slack"]),
        piece("technologies", ["salesforce.com"]),
    ]
    found = await rules().analyse(prompt(*lists))
    assert [claim.value for claim in found.claims] == ["Salesforce", "HubSpot", "AWS"]
    assert [claim.citations[0].json_path for claim in found.claims] == [f"$.technologies[{n}]" for n in range(3)]


async def test_a_request_in_the_message_is_a_buying_signal() -> None:
    found = await rules().analyse(prompt(piece("message", "Could we see a demo?", provider="form", trust=SELF)))
    assert [(claim.field, claim.value) for claim in found.claims] == [(ClaimField.BUYING_SIGNAL, "demo")]
    assert found.intent is Intent.MEDIUM
