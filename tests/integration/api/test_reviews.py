"""`/v1/reviews` and `revenueflow reviews`: the queue as people and programs see it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import orjson
import pytest

from revenueflow.devserver.cluster import DatabaseUrls
from tests.support import sql
from tests.support.api import Api, at_once
from tests.support.cli import Ran, run
from tests.support.house import House, house
from tests.support.scripted_model import Pieces, claim, of, scripted

EMAIL = "dana@larkvale-systems.example"
REASON = "asked them on the phone"


def conflicting(pieces: Pieces) -> list[dict[str, Any]]:
    form = of(pieces, "headcount", "form")
    return [
        claim("headcount", 9000, "The company has 9000 employees.", form["id"], quote="9000"),
        claim("founded_year", 2010, "The company was founded in 2010.", of(pieces, "founded_year")["id"]),
    ]


@asynccontextmanager
async def judged(database: DatabaseUrls, redis_url: str, folder: Path) -> AsyncIterator[tuple[House, UUID]]:
    """A house, and a lead whose analysis waits for a person."""
    async with house(database, redis_url, folder) as home:
        with scripted(home, conflicting):
            lead = await home.deliver(employees="9000", message=f"I am Dana Reyes, {EMAIL}. Send pricing.")
            await home.run(lead)
            yield home, lead


@pytest.fixture
async def waiting(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> AsyncIterator[tuple[House, UUID]]:
    async with judged(database, redis_url, tmp_path) as given:
        yield given


def decide(api: Api, id_: str, role: str = "operator", **body: Any) -> httpx2.Response:
    return api.client.post(f"/v1/reviews/{id_}/decision", json={"reason": REASON} | body, headers=api.as_role(role))


async def test_the_queue_over_http(api: Api, waiting: tuple[House, UUID]) -> None:
    home, lead = waiting
    shown = api.read(f"/v1/leads/{lead}").json()
    (item,) = api.read("/v1/reviews").json()["items"]
    assert (item["id"], shown["needs_review"]) == (shown["review_id"], True)
    assert (item["kind"], item["questioned"], item["company"]) == ("ambiguous", ["C1"], "Larkvale Systems")
    one = api.read(f"/v1/reviews/{item['id']}", "auditor").json()
    assert [(each["ref"], each["in_question"]) for each in one["claims"]] == [("C1", True), ("C2", False)]
    assert api.read(f"/v1/reviews?lead={uuid4()}").json()["items"] == []
    told = decide(api, item["id"], decision="edit", edits={"C1": {"value": 230, "statement": "It has 230 employees."}})
    assert (told.status_code, told.json()["run"], told.json()["decisions"]) == (200, "again", {"C1": "edit"})
    assert decide(api, item["id"], decision="reject").status_code == 409
    await home.run(lead)
    after = api.read(f"/v1/leads/{lead}").json()
    assert (after["needs_review"], after["review_id"], after["version"]) == (False, None, 1)
    assert after["fit"] > shown["fit"]
    (done,) = api.read("/v1/reviews?state=decided").json()["items"]
    assert (done["decision"], done["reason"], done["decisions"]) == ("edit", REASON, {"C1": "edit"})


async def test_the_queue_is_counted(api: Api, waiting: tuple[House, UUID]) -> None:
    assert waiting[1]
    text = api.client.get("/metrics").text
    assert 'revenueflow_reviews_open{kind="ambiguous"} 1.0' in text
    assert 'revenueflow_reviews_open{kind="rejected"} 0.0' in text
    (age,) = re.findall(r"^revenueflow_reviews_oldest_seconds (.+)$", text, re.MULTILINE)
    assert 0 < float(age) < 600


async def test_the_timeline_shows_what_decided_a_claim(api: Api, waiting: tuple[House, UUID]) -> None:
    home, lead = waiting
    items = api.read(f"/v1/leads/{lead}/timeline?limit=1000").json()["items"]
    claims = {item["data"]["ref"]: item["data"] for item in items if item["type"] == "claim"}
    open_ = claims["C1"]
    assert (open_["verdict"], open_["decided_by"]) == ("ambiguous", "vendor_conflict")
    assert (open_["expected"], len(open_["opposing"])) == (9000, 2)
    (cited,) = open_["citations"]
    assert open_["spans"] == [{"evidence_id": cited["evidence_id"], "start": 0, "end": 4}]
    (judged,) = [item["data"] for item in items if item["data"].get("name") == "ground"]
    summary = api.read(f"/v1/leads/{lead}").json()["summary"]
    assert judged["summary"] == summary == "Company: founded in 2010 (per clearbit, today)."
    shown = run(Path(), "leads", "show", str(lead), DATABASE_URL=home.urls.app_url).out
    assert f"{cited['evidence_id']}[0:4]" in shown
    assert "vendor_conflict" in shown
    assert summary in shown


async def test_pages(api: Api, waiting: tuple[House, UUID]) -> None:
    home, _ = waiting
    insert = """INSERT INTO reviews (id, lead_id, job_id, run_version, kind, questioned)
                SELECT uuidv7(), lead_id, job_id, $1, kind, questioned FROM reviews WHERE run_version = 1"""
    for version in range(2, 8):
        home.rows(insert, version)
    found: list[str] = []
    path = "/v1/reviews?limit=3"
    while path:
        answer = api.read(path)
        found += [item["id"] for item in answer.json()["items"]]
        link = re.match(r"<(.+)>; rel=\"next\"", answer.headers.get("link", ""))
        path = link[1] if link else ""
    assert len(found) == len(set(found)) == 7


async def test_only_one_of_many_decides(api: Api, waiting: tuple[House, UUID], database: DatabaseUrls) -> None:
    (item,) = api.read("/v1/reviews").json()["items"]
    kinds = [{"decision": "accept"}, {"decision": "reject"}]
    answers = await asyncio.to_thread(
        at_once, 8, lambda n: decide(api, item["id"], ("operator", "admin")[n % 2], **kinds[n % 2])
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [409] * 4
    assert sum(not answer.json()["replayed"] for answer in answers if answer.status_code == 200) == 1
    assert sql.value(database.superuser_url, "SELECT count(*) FROM audit_events WHERE action = 'review.decided'") == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"decision": "maybe"}, "/decision"),
        ({"decision": "accept", "reason": "x"}, "/reason"),
        ({"decision": "accept", "claims": ["s3cr3t"]}, "/claims"),
        ({"decision": "accept", "s3cr3t": 1}, ""),
        ({"decision": "edit"}, ""),
        ({"decision": "edit", "edits": {"s3cr3t": {"value": 1}}}, "/edits"),
        ({"decision": "edit", "edits": {"C1": {}}}, "/edits"),
        ({"decision": "edit", "edits": {"C1": {"value": "s3cr3t"}}}, "/edits/C1"),
        ({"decision": "accept", "claims": ["C7"]}, "/claims"),
    ],
)
async def test_what_is_wrong_is_named_and_not_shown(
    api: Api, waiting: tuple[House, UUID], body: dict[str, Any], pointer: str
) -> None:
    (item,) = api.read("/v1/reviews").json()["items"]
    answer = decide(api, item["id"], **body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]][:1] == [pointer]
    assert (pointer != "/edits/C1") or "C1: the value is not one of the field" in answer.json()["detail"]
    assert "s3cr3t" not in answer.text
    assert api.read(f"/v1/reviews/{item['id']}").json()["state"] == "open"


def test_there_must_be_such_a_review(shared_api: Api) -> None:
    assert shared_api.read(f"/v1/reviews/{uuid4()}").status_code == 404
    assert decide(shared_api, str(uuid4()), decision="accept").status_code == 404
    headers = shared_api.as_role("operator")
    path = f"/v1/reviews/{uuid4()}/decision"
    assert shared_api.client.post(path, content="{", headers=headers).status_code == 415
    assert (
        shared_api.client.post(path, content="{", headers=headers | {"content-type": "application/json"}).status_code
        == 400
    )


async def test_the_queue_at_a_terminal(waiting: tuple[House, UUID], tmp_path: Path) -> None:
    home, lead = waiting

    def ask(*arguments: str) -> Ran:
        return run(tmp_path, "reviews", *arguments, DATABASE_URL=home.urls.app_url)

    (item,) = ask("list", "--json").lines
    assert item["lead_id"] == str(lead)
    shown = ask("show", item["id"]).out
    for part in (
        "C1 ?",
        "ambiguous (vendor_conflict): another source",
        'form headcount: 9000, quoted "9000"',
        "hunter",
    ):
        assert part in shown, part
    assert ask("accept", item["id"], "--reason", "x").code == 2
    assert ask("edit", item["id"], "--claim", "C1", "--value", "many", "--reason", REASON).code == 1
    edited = ("--claim", "C1", "--value", "230", "--statement", f"Dana Reyes ({EMAIL}) says 230 employees.")
    told = ask("edit", item["id"], *edited, "--reason", REASON, "--json")
    assert (told.code, told.lines[0]["run"]) == (0, "again")
    assert ask("reject", item["id"], "--reason", REASON).code == 1
    exported = ask("export").out
    (case,) = [orjson.loads(line) for line in exported.splitlines()]
    assert case["labels"] == {"C1": "unsupported", "C1-edited": "supported"}
    assert {one["id"]: one["value"] for one in case["claims"]} == {"C1": 9000, "C1-edited": 230}
    piece = next(one for one in case["evidence"] if one["data"] == 9000)
    assert (piece["provider"], piece["signal"], piece["trust"]) == ("form", "headcount", "self_reported")
    assert not re.search(r"dana|reyes", exported, re.IGNORECASE)
    assert "[NAME]" in exported
    assert ask("export", "--out", "cases.jsonl").code == 0
    assert (tmp_path / "cases.jsonl").read_text() == exported
    assert ask("show", str(uuid4())).code == 1
