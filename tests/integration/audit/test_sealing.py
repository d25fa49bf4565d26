"""The sealed trail: every event gets one place, and whatever a superuser does to it is found."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import asyncpg
import orjson
import pytest

from revenueflow.audit import checkpoint_file
from revenueflow.audit.notes import Checkpoint, Signer
from revenueflow.audit.seal import Tampered
from revenueflow.audit.trail import leaf_hash
from revenueflow.audit.verify import Kind
from revenueflow.db import audit_log
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.errors import Unavailable
from revenueflow.settings.audit import SealSettings
from revenueflow.telemetry import metrics
from revenueflow.workers import sealer
from tests.support import sql
from tests.support.processes import until
from tests.support.trail import Trail


@pytest.fixture
def trail(database: DatabaseUrls, tmp_path: Path) -> Trail:
    return Trail(database, tmp_path)


async def test_what_is_appended_is_sealed_and_signed_once(trail: Trail) -> None:
    trail.append(5)
    assert await trail.seal() == 5
    trail.append(3)
    assert [await trail.seal(), await trail.seal()] == [3, 0]
    waiting = trail.append(1)
    report = await trail.verify()
    assert report.intact
    assert (report.events, report.sealed, report.signed, report.checkpoints, report.outside) == (9, 8, 8, 2, 2)
    assert sql.rows(trail.urls.sealer_url, "SELECT event_id::text AS id FROM audit_pending") == [{"id": waiting[0]}]


async def test_several_sealers_at_once_give_each_event_one_place(trail: Trail) -> None:
    sealers = [trail.sealer() for _ in range(4)]

    async def work(number: int) -> int:
        total = 0
        async with audit_log.opened(trail.urls.sealer_url, application="test") as connection:
            await sealers[number].resume(connection)
            for _ in range(20):
                total += await sealers[number].seal(connection)
                await sealers[number].checkpoint(connection)
        return total

    async def write() -> None:
        for _ in range(10):
            await asyncio.to_thread(trail.append, 20)

    counts, _ = await asyncio.gather(asyncio.gather(*map(work, range(4))), write())
    left = await trail.seal()
    assert sum(counts) + left == 200
    report = await trail.verify()
    assert report.intact, report.problems
    assert (report.sealed, report.signed) == (200, 200)


async def test_a_late_commit_joins_the_next_batch(trail: Trail) -> None:
    connection = await asyncpg.connect(trail.urls.app_url)
    late = connection.transaction()
    await late.start()
    await connection.execute(
        "SELECT audit_append(jsonb_agg(to_jsonb(e))) FROM (SELECT uuidv7() AS id, now() AS ts, 'a' AS actor,"
        " 'b' AS action, 'done' AS outcome, '{}'::jsonb AS detail, encode(sha256('x'), 'hex') AS leaf_hash) e"
    )
    trail.append(2)
    assert await trail.seal() == 2
    await late.commit()
    await connection.close()
    assert await trail.seal() == 1


KEYS = {"audit_events": "id", "audit_leaves": "seq", "audit_checkpoints": "tree_size", "audit_pending": "event_id"}
DISABLE = "ALTER TABLE {} DISABLE TRIGGER ALL"
TABLES = tuple(KEYS)
OF_WAITING = "WHERE id = (SELECT event_id FROM audit_pending LIMIT 1)"
EVENTS, LEAVES, SIGNED = "audit_events", "audit_leaves", "audit_checkpoints"
SWAPPED = "(e.id, o.id) IN (('{0}', '{1}'), ('{1}', '{0}'))"
COPIED = "ts, actor, action, outcome, lead_id, job_id, action_key, trace_id, detail, leaf_hash"
# What a superuser does with triggers off, and what must be found. `{0}` and `{1}` are ids of sealed events.
FORGERIES: dict[str, tuple[Kind, tuple[str, ...]]] = {
    "a value": (Kind.ALTERED, (f"UPDATE {EVENTS} SET actor = 'nobody' WHERE id = '{{0}}'",)),
    "a detail": (Kind.ALTERED, (f"UPDATE {EVENTS} SET detail = jsonb_build_object('n', 9) WHERE id = '{{0}}'",)),
    "a bit of a leaf": (
        Kind.ALTERED,
        (f"UPDATE {LEAVES} SET leaf_hash = set_bit(leaf_hash, 3, 1 - get_bit(leaf_hash, 3))",),
    ),
    "backdated": (Kind.ALTERED, (f"UPDATE {EVENTS} SET ts = ts - interval '1 day' WHERE id = '{{0}}'",)),
    "an event with its hashes": (
        Kind.ROOT,
        (
            f"UPDATE {EVENTS} SET actor = 'nobody', leaf_hash = sha256('x') WHERE id = '{{0}}'",
            f"UPDATE {LEAVES} SET leaf_hash = sha256('x') WHERE event_id = '{{0}}'",
        ),
    ),
    "an event is deleted": (Kind.MISSING, (f"DELETE FROM {EVENTS} WHERE id = '{{0}}'",)),
    "an event and its place are deleted": (
        Kind.GAP,
        (f"DELETE FROM {LEAVES} WHERE event_id = '{{0}}'", f"DELETE FROM {EVENTS} WHERE id = '{{0}}'"),
    ),
    "two contents are swapped": (
        Kind.ALTERED,
        (f"UPDATE {EVENTS} e SET detail = o.detail, leaf_hash = o.leaf_hash FROM {EVENTS} o WHERE {SWAPPED}",),
    ),
    "two places are swapped": (
        Kind.ROOT,
        (
            f"UPDATE {LEAVES} SET seq = -1 WHERE event_id = '{{0}}'",
            f"UPDATE {LEAVES} SET seq = 0 WHERE event_id = '{{1}}'",
            f"UPDATE {LEAVES} SET seq = 1 WHERE event_id = '{{0}}'",
        ),
    ),
    "the end is cut off": (
        Kind.CUT,
        (
            f"DELETE FROM {LEAVES} WHERE seq >= 6",
            f"DELETE FROM {EVENTS} WHERE id NOT IN (SELECT event_id FROM {LEAVES})",
            f"DELETE FROM {SIGNED} WHERE tree_size > 6",
        ),
    ),
    "everything is truncated": (Kind.CUT, (f"TRUNCATE {LEAVES}, {EVENTS}, audit_pending, {SIGNED}",)),
    "a checkpoint is changed": (
        Kind.UNSIGNED,
        (f"UPDATE {SIGNED} SET root_hash = sha256('x') WHERE tree_size = 8",),
    ),
    "a note is changed": (Kind.UNSIGNED, (f"UPDATE {SIGNED} SET note = replace(note, '8', '7') WHERE tree_size = 8",)),
    "an event slips in": (
        Kind.ALTERED,
        (f"INSERT INTO {EVENTS} (id, {COPIED}) SELECT uuidv7(), {COPIED} FROM {EVENTS} WHERE id = '{{0}}'",),
    ),
    "an event is kept from the sealer": (Kind.UNSEALED, ("DELETE FROM audit_pending",)),
    "a waiting event is deleted": (Kind.MISSING, (f"DELETE FROM {EVENTS} {OF_WAITING}",)),
    "a waiting event is changed": (Kind.ALTERED, (f"UPDATE {EVENTS} SET outcome = 'x' {OF_WAITING}",)),
}


@pytest.mark.parametrize("what", list(FORGERIES))
async def test_what_a_superuser_does_is_found(trail: Trail, what: str) -> None:
    ids = trail.append(4)
    await trail.seal()
    trail.append(4)
    await trail.seal()
    trail.append(1)
    assert (await trail.verify()).intact
    kind, statements = FORGERIES[what]
    for statement in [*map(DISABLE.format, TABLES), *(each.format(*sorted(ids)) for each in statements)]:
        sql.rows(trail.urls.superuser_url, statement)
    report = await trail.verify()
    assert kind in {problem.kind for problem in report.problems}


async def test_a_database_that_was_rolled_back_is_told_by_the_file_outside(trail: Trail) -> None:
    trail.append(4)
    await trail.seal()
    state = [sql.rows(trail.urls.superuser_url, f"SELECT * FROM {table}") for table in TABLES]
    trail.append(4)
    await trail.seal()
    for table in TABLES:
        sql.rows(trail.urls.superuser_url, DISABLE.format(table))
    for table, rows in zip(TABLES, state, strict=True):
        key = {
            "audit_events": "id",
            "audit_leaves": "seq",
            "audit_checkpoints": "tree_size",
            "audit_pending": "event_id",
        }[table]
        sql.rows(trail.urls.superuser_url, f"DELETE FROM {table} WHERE NOT {key} = ANY($1)", [row[key] for row in rows])
    assert (await trail.verify(outside=False)).intact
    assert [problem.kind for problem in (await trail.verify()).problems] == [Kind.CUT]
    trail.append(9)
    with pytest.raises(Tampered, match="of 8 signed leaves 4 are left"):
        await trail.seal()


async def test_the_sealer_signs_nothing_over_a_trail_that_was_changed(trail: Trail) -> None:
    trail.append(3)
    await trail.seal()
    sql.rows(trail.urls.superuser_url, DISABLE.format("audit_leaves"))
    sql.rows(trail.urls.superuser_url, "UPDATE audit_leaves SET leaf_hash = sha256('x') WHERE seq = 1")
    trail.append(1)
    with pytest.raises(Tampered, match="the first 3 leaves were changed"):
        await trail.seal()
    checkpoint_file.append(trail.file, Signer.new().sign(Checkpoint(1, bytes(32))), "")
    with pytest.raises(Tampered, match="not signed by a key of ours"):
        await trail.seal()


async def test_an_event_from_the_past_is_told_although_its_hash_is_right(trail: Trail) -> None:
    trail.append(2)
    await trail.seal()
    old = "2026-01-01T00:00:00.000000Z"
    nothing = dict.fromkeys(("lead_id", "job_id", "action_key", "trace_id"))
    event = {"id": str(uuid4()), "ts": old, "actor": "a", "action": "b", "outcome": "done", "detail": {}} | nothing
    rows = orjson.dumps([event | {"leaf_hash": leaf_hash(event).hex()}]).decode()
    sql.rows(trail.urls.app_url, "SELECT audit_append($1::jsonb)", rows)
    await trail.seal()
    assert [problem.kind for problem in (await trail.verify()).problems] == [Kind.BACKDATED]


async def test_without_a_place_outside_nothing_is_signed(trail: Trail) -> None:
    trail.append(1)
    one = trail.sealer()
    one.file = trail.folder / "no" / "folder"
    with pytest.raises(Unavailable, match="REVENUEFLOW_CHECKPOINT_FILE"):
        await trail.seal(one)
    assert sql.value(trail.urls.sealer_url, "SELECT count(*) FROM audit_checkpoints") == 0
    assert sql.value(trail.urls.sealer_url, "SELECT count(*) FROM audit_leaves") == 1
    await trail.seal()
    assert (await trail.verify()).intact


async def test_a_checkpoint_that_only_the_file_has_is_no_fault(trail: Trail) -> None:
    trail.append(2)
    await trail.seal()
    sql.rows(trail.urls.superuser_url, DISABLE.format("audit_checkpoints"))
    sql.rows(trail.urls.superuser_url, "DELETE FROM audit_checkpoints")
    assert (await trail.verify()).intact
    trail.append(2)
    await trail.seal()
    assert (await trail.verify()).signed == 4


async def test_a_sealer_over_a_changed_trail_stays_and_goes_on_when_somebody_has_looked(trail: Trail) -> None:
    trail.append(4)
    await trail.seal()
    trail.file.write_text(trail.file.read_text().replace("\\n4\\n", "\\n9\\n"))
    trail.append(3)
    settings = SealSettings(pause=0.02, checkpoint=0.05)
    work = asyncio.create_task(sealer.run(trail.sealer(), trail.urls.sealer_url, settings))
    try:
        await asyncio.to_thread(until, lambda: metrics.audit_tampered._value.get() == 1, seconds=15)
        assert sql.value(trail.urls.sealer_url, "SELECT count(*) FROM audit_leaves") == 4
        trail.file.rename(trail.folder / "looked-at")
        await asyncio.to_thread(until, lambda: metrics.audit_tampered._value.get() == 0, seconds=15)
        query = "SELECT coalesce(max(tree_size), 0) FROM audit_checkpoints"
        await asyncio.to_thread(until, lambda: sql.value(trail.urls.sealer_url, query) == 7, seconds=15)
        assert not work.done()
    finally:
        work.cancel()
        await asyncio.wait({work})
    assert (await trail.verify()).intact
