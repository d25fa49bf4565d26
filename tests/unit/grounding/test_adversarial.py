"""The adversarial set: the file is what the generator makes, and the validator keeps to its targets on it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from functools import cache
from typing import Any
from uuid import uuid5

import orjson

from revenueflow.domain.claim import Claim, ClaimField, JudgedClaim
from revenueflow.domain.evidence import Evidence
from revenueflow.grounding.documents import Document, Documents, Wanted
from revenueflow.grounding.validator import judge
from tests.support import adversarial
from tests.support.adversarial_false import MUTATIONS
from tests.unit.grounding.lead import NAMESPACE, rules, vocabulary

CAUGHT = 0.99
REJECTED = 0.01
TRUE = ("true", "true_self_reported")


def typed(rows: list[dict[str, object]]) -> dict[str, Evidence]:
    """The evidence of a line by id."""
    return {
        str(row["id"]): Evidence.model_validate(
            {key: row[key] for key in ("provider", "signal", "path", "trust", "fetched_at")}
            | {"id": uuid5(NAMESPACE, str(row["id"])), "value": row["data"]}
        )
        for row in rows
    }


def free(row: dict[str, Any]) -> tuple[JudgedClaim, ...]:
    """Free statements about a record, as `eval grounding` judges them."""
    documents = Documents([Document(one["id"], one["provider"], one["data"]) for one in row["evidence"]], rules())
    claims = [documents.bound(Wanted(one["id"], None, None, one["statement"])) for one in row["claims"]]
    return judge(claims, documents.evidence, vocabulary(), rules())


@cache
def judged() -> list[tuple[str, JudgedClaim]]:
    """Each claim of the file with its kind."""
    found = []
    for line in adversarial.FILE.read_bytes().splitlines():
        row = orjson.loads(line)
        if "signal" in row["evidence"][0]:
            claims = [Claim.model_validate(claim) for claim in row["claims"]]
            verdicts = judge(claims, typed(row["evidence"]), vocabulary(), rules())
        else:
            verdicts = free(row)
        found += [(row["kinds"][one.claim.id], one) for one in verdicts]
    return found


def of(*kinds: str) -> list[JudgedClaim]:
    return [one for kind, one in judged() if kind in kinds]


def test_the_file_is_what_the_generator_makes() -> None:
    assert adversarial.FILE.read_bytes() == adversarial.lines(), "run python -m tests.support.adversarial"


def test_another_seed_makes_another_set() -> None:
    assert adversarial.lines(1) == adversarial.lines(1) != adversarial.lines(2)


def test_the_set_is_large_and_has_every_field_and_mutation() -> None:
    kinds = Counter(kind for kind, _ in judged())
    assert set(kinds) == {*TRUE, "hedged", *MUTATIONS, "record_true", "record_join"}
    assert sum(kinds[kind] for kind in MUTATIONS) >= 800
    assert sum(kinds[kind] for kind in TRUE) >= 250
    assert min(kinds.values()) >= 20
    assert {one.claim.field for one in of(*TRUE)} == set(ClaimField) - {ClaimField.OTHER}


def test_fabricated_claims_are_caught() -> None:
    passed = Counter(kind for kind, one in judged() if kind in MUTATIONS and one.supported)
    fabricated = of(*MUTATIONS)
    assert passed.total() <= (1 - CAUGHT) * len(fabricated), passed
    for kind in MUTATIONS:
        assert passed[kind] <= 0.05 * len(of(kind)), f"{kind}: {passed[kind]} of {len(of(kind))}"


def test_true_claims_are_kept() -> None:
    lost = [(one.claim.statement, one.verdict.decided_by) for one in of(*TRUE) if not one.supported]
    assert len(lost) <= REJECTED * len(of(*TRUE)), lost


def test_records_are_not_joined_falsely_and_what_they_say_is_kept() -> None:
    passed = [one.claim.statement for one in of("record_join") if one.supported]
    lost = [one.claim.statement for one in of("record_true") if not one.supported]
    assert len(of("record_join")) >= 100 and len(of("record_true")) >= 80
    assert len(passed) <= (1 - CAUGHT) * len(of("record_join")), passed
    assert len(lost) <= REJECTED * len(of("record_true")), lost


def test_what_only_the_form_says_is_marked_and_nothing_else_is() -> None:
    assert all(one.verdict.self_reported_only for one in of("true_self_reported") if one.supported)
    assert not any(one.verdict.self_reported_only for one in of("true"))


def test_hedges_claim_nothing() -> None:
    assert {one.verdict.decided_by for one in of("hedged")} == {"hedge"}
    assert not any(one.verdict.decided_by == "hedge" for one in of(*MUTATIONS, *TRUE))


def test_the_times_of_the_evidence_differ() -> None:
    row = orjson.loads(adversarial.FILE.read_bytes().splitlines()[0])
    times = {datetime.fromisoformat(piece["fetched_at"]) for piece in row["evidence"]}
    assert len(times) == 2, "a stale piece stands among fresh ones"
