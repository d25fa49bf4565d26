"""The audit trail over HTTP: pages of events, the checkpoint, and proofs that stand alone."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from revenueflow.audit import keys, notes
from revenueflow.audit.merkle import root_of
from revenueflow.audit.trail import leaf_hash
from revenueflow.devserver.cluster import DatabaseUrls
from tests.support.api import Api
from tests.support.trail import Trail


@pytest.fixture
def trail(database: DatabaseUrls, tmp_path: Path) -> Trail:
    return Trail(database, tmp_path)


def ask(api: Api, path: str = "", **query: object) -> dict[str, object]:
    answer = api.client.get(f"/v1/audit{path}", params=query, headers=api.as_role("auditor"))
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def status(api: Api, path: str) -> int:
    return api.client.get(f"/v1/audit{path}", headers=api.as_role("auditor")).status_code


async def test_events_come_in_pages_newest_first(api: Api, trail: Trail) -> None:
    lead = uuid4()
    ids = trail.append(5, lead)
    trail.append(2)
    first = ask(api, lead_id=lead, limit=3)
    second = ask(api, lead_id=lead, limit=3, cursor=first["next_cursor"])
    items = [*first["items"], *second["items"]]  # type: ignore[misc]
    assert [item["id"] for item in items] == sorted(ids, reverse=True)
    assert second["next_cursor"] is None
    assert ask(api, lead_id=lead, since="2030-01-01T00:00:00Z")["items"] == []
    assert len(ask(api, action="test.happened", limit=500)["items"]) == 7  # type: ignore[arg-type]


async def test_a_proof_leads_from_the_event_to_the_signed_root(api: Api, trail: Trail) -> None:
    ids = trail.append(7)
    await trail.seal()
    signed = notes.read(str(ask(api, "/checkpoint")["note"]), keys.verifiers(trail.key))
    assert signed is not None
    for event_id in ids:
        proof = ask(api, f"/{event_id}/proof")
        path = [bytes.fromhex(beside) for beside in proof["path"]]  # type: ignore[attr-defined]
        leaf = leaf_hash(proof["event"])  # type: ignore[arg-type]
        assert root_of(leaf, proof["leaf_index"], signed.size, path) == signed.root  # type: ignore[arg-type]


async def test_what_is_not_there(api: Api, trail: Trail) -> None:
    assert status(api, "/checkpoint") == 404
    (event_id,) = trail.append(1)
    for wanted in (event_id, uuid4()):
        assert status(api, f"/{wanted}/proof") == 404
    sealer = trail.sealer()
    sealer.file = None
    await trail.seal(sealer)
    trail.append(1)
    assert ask(api, f"/{event_id}/proof")["leaf_index"] == 0
