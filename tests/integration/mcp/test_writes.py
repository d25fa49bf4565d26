"""Commits that many actions share: what several ask under one key happens once, and each gets its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from revenueflow.audit.trail import Subject
from revenueflow.db.actions import PlannedAction, Sending, Settled
from revenueflow.db.direct import Direct
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import Contended, Refused
from revenueflow.mcp.writes import Planning, Settling, Writes
from revenueflow.settings import DatabaseSettings
from tests.support import sql

NUL = "a\x00b"
"""What jsonb does not take."""
NO_LEASE = UUID(int=0)
"""A job that nobody holds: nothing may be sent for it."""


class Book:
    """The writes, and what they left behind."""

    def __init__(self, urls: DatabaseUrls, direct: Direct) -> None:
        self.urls = urls
        self.writes = Writes(direct)

    def rows(self, query: str) -> list[dict[str, Any]]:
        return sql.rows(self.urls.superuser_url, query)

    def states(self) -> dict[UUID, str]:
        return {row["action_key"]: row["state"] for row in self.rows("SELECT action_key, state FROM actions")}

    def commits(self) -> int:
        """How many commits wrote the rows that are there."""
        return len(self.rows("SELECT DISTINCT xmin::text FROM actions"))

    def said(self, outcome: str) -> list[UUID]:
        found = self.rows("SELECT action_key, outcome FROM audit_events ORDER BY ts, id")
        return [row["action_key"] for row in found if row["outcome"] == outcome]

    async def plan(self, *plans: Planning) -> list[Any]:
        return list(await asyncio.gather(*map(self.writes.plan, plans), return_exceptions=True))

    async def send(self, *sending: Sending) -> list[Any]:
        return list(await asyncio.gather(*map(self.writes.send, sending), return_exceptions=True))

    async def settle(self, *settling: Settling) -> list[Any]:
        return list(await asyncio.gather(*map(self.writes.settle, settling), return_exceptions=True))

    async def planned(self, count: int) -> list[UUID]:
        """Keys of actions that could not be sent when they were planned."""
        keys = [uuid4() for _ in range(count)]
        told = await self.plan(*(planning(key, job=NO_LEASE) for key in keys))
        assert [(one["action_key"], one["state"]) for one in told] == [(key, "planned") for key in keys]
        return keys


@pytest.fixture
async def book(database: DatabaseUrls) -> AsyncIterator[Book]:
    async with Direct(DatabaseSettings(url=database.app_url), application="test", lock_timeout=0.3) as direct:
        yield Book(database, direct)


def planning(
    key: UUID, *, run_version: int = 1, record: UUID | None = None, job: UUID | None = None, **args: str
) -> Planning:
    lead = uuid4()
    action = PlannedAction(
        key, record or uuid4(), "lead", "upsert_lead", run_version, "pipeline", args, b"", job, lead
    )  # fmt: skip
    return Planning(action, Subject(lead))


def sending(key: UUID, tries: int = 0, job: UUID | None = None, token: int | None = None) -> Sending:
    return Sending(key, tries, job, token)


def settling(key: UUID, state: str = "confirmed", crm_id: str = "1", result: str | None = None) -> Settling:
    entry = AuditEntry("crm.upsert_lead", state, action_key=key)
    return Settling(Settled(key, state, crm_id, result), Subject(), entry)


async def test_one_key_many_times_in_one_batch_is_one_plan_one_send_and_one_settlement(book: Book) -> None:
    key, other = uuid4(), uuid4()
    first, *again, alone = await book.plan(*[planning(key, email="a@x.example")] * 5, planning(other))
    assert (first, alone) == (None, None)
    assert [(told["action_key"], told["state"]) for told in again] == [(key, "sent")] * 4
    assert (book.commits(), sorted(book.said("planned"))) == (1, sorted([key, other]))
    assert book.rows("SELECT tries FROM actions") == [{"tries": 1}] * 2

    assert await book.send(*[sending(key, 1)] * 4, sending(other, 1)) == [True, False, False, False, True]
    assert book.rows("SELECT tries FROM actions") == [{"tries": 2}] * 2
    assert book.commits() == 1

    assert await book.settle(*[settling(key)] * 3, settling(other)) == [True, False, False, True]
    assert book.states() == {key: "confirmed", other: "confirmed"}
    assert (book.commits(), sorted(book.said("confirmed"))) == (1, sorted([key, other]))


async def test_a_second_batch_under_the_same_key_changes_nothing(book: Book) -> None:
    (key,) = await book.planned(1)
    assert [told["state"] for told in await book.plan(planning(key), planning(key))] == ["planned", "planned"]
    assert await book.send(sending(key)) == [True]
    assert await book.send(sending(key)) == [False]  # somebody has sent it meanwhile: `tries` tells
    assert await book.send(sending(key, 1)) == [True]
    assert await book.settle(settling(key, crm_id="first")) == [True]
    assert await book.settle(settling(key, "failed", crm_id="second")) == [False]
    assert book.rows("SELECT state, crm_id FROM actions") == [{"state": "confirmed", "crm_id": "first"}]
    assert (book.said("planned"), book.said("confirmed"), book.said("failed")) == ([key], [key], [])


async def test_of_several_settlements_of_one_action_in_a_batch_one_counts(book: Book) -> None:
    (key,) = await book.planned(1)
    told = await book.settle(settling(key, "confirmed"), settling(key, "failed"))
    assert told == [True, False]
    assert len(book.said("confirmed") + book.said("failed")) == 1


async def test_a_plan_that_postgres_refuses_costs_the_others_nothing(book: Book) -> None:
    keys = [uuid4() for _ in range(4)]
    told = await book.plan(*(planning(key, company=NUL if n == 2 else "Larkvale") for n, key in enumerate(keys)))
    assert [type(one) for one in told] == [type(None), type(None), Refused, type(None)]
    assert NUL not in str(told[2])
    kept = [key for n, key in enumerate(keys) if n != 2]
    assert book.states() == dict.fromkeys(kept, "sent")
    assert sorted(book.said("planned")) == sorted(kept)


async def test_a_settlement_that_postgres_refuses_costs_the_others_nothing(book: Book) -> None:
    keys = await book.planned(3)
    bad = settling(keys[1], result='{"crm_id": "a\\u0000b"}')
    told = await book.settle(settling(keys[0]), bad, settling(keys[2]))
    assert [told[0], type(told[1]), told[2]] == [True, Refused, True]
    assert book.states() == {keys[0]: "confirmed", keys[1]: "planned", keys[2]: "confirmed"}
    assert sorted(book.said("confirmed")) == sorted([keys[0], keys[2]])


def leased(book: Book, *, token: int) -> UUID:
    """A job that somebody holds."""
    job = uuid4()
    sql.rows(
        book.urls.superuser_url,
        """INSERT INTO jobs (id, lead_id, run_version, wanted_version, state, lease_token, lease_until, trace_id)
           VALUES ($1, $2, 1, 1, 'leased', $3, now() + interval '1 hour', 't')""",
        job,
        uuid4(),
        token,
    )
    return job


async def test_a_plan_whose_lease_is_lost_is_stored_and_not_sent(book: Book) -> None:
    job, keys = leased(book, token=7), [uuid4() for _ in range(3)]
    plans = [planning(key, job=job) for key in keys[:2]]
    plans = [plan._replace(action=plan.action._replace(token=token)) for plan, token in zip(plans, (7, 6), strict=True)]
    first, second, third = await book.plan(*plans, planning(keys[2], job=NO_LEASE))
    assert (first, second["state"], third["state"]) == (None, "planned", "planned")
    assert [book.states()[key] for key in keys] == ["sent", "planned", "planned"]
    assert book.rows("SELECT action_key, lease_token, tries FROM actions WHERE sent_at IS NOT NULL") == [
        {"action_key": keys[0], "lease_token": 7, "tries": 1}
    ]


async def test_a_plan_after_which_something_newer_was_sent_is_not_sent(book: Book) -> None:
    record, new, old = uuid4(), uuid4(), uuid4()
    assert await book.plan(planning(new, record=record, run_version=2)) == [None]
    (told,) = await book.plan(planning(old, record=record))
    assert (told["state"], book.states()) == ("planned", {new: "sent", old: "planned"})


async def test_a_send_whose_lease_is_lost_costs_the_others_nothing(book: Book) -> None:
    keys, job = await book.planned(3), leased(book, token=7)
    told = await book.send(sending(keys[0], 0, job, 7), sending(keys[1], 0, job, 6), sending(keys[2]))
    assert told == [True, False, True]
    assert [book.states()[key] for key in keys] == ["sent", "planned", "sent"]


async def test_a_row_that_somebody_holds_costs_the_others_nothing(book: Book) -> None:
    keys = await book.planned(3)
    with sql.locked(book.urls, f"SELECT FROM actions WHERE action_key = '{keys[1]}' FOR UPDATE"):
        told = await book.settle(*map(settling, keys))
    assert [told[0], type(told[1]), told[2]] == [True, Contended, True]
    assert await book.settle(settling(keys[1])) == [True]
    assert sorted(book.said("confirmed")) == sorted(keys)


async def test_of_two_versions_of_a_record_in_one_batch_the_older_is_superseded(book: Book) -> None:
    record, old, new = uuid4(), uuid4(), uuid4()
    told = await book.plan(planning(old, record=record), planning(new, record=record, run_version=2))
    assert (told[0]["state"], told[1]) == ("superseded", None)
    assert book.states() == {old: "superseded", new: "sent"}
    assert (book.said("planned"), book.said("superseded")) == ([old, new], [old])
