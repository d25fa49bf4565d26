"""The spool: what it has promised is on disk, what it has refused is not."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from revenueflow.db.deliveries import NewDelivery
from revenueflow.errors import ConfigurationError, Contended, Unavailable
from revenueflow.sources import segment
from revenueflow.sources.drainer import Drainer
from revenueflow.sources.segment import Damage
from revenueflow.sources.spool import BAD, SUFFIX, Spool
from tests.support.processes import until
from tests.unit.sources.test_segment import row

MIB = 2**20


def spool(folder: Path, **options: Any) -> Spool:
    return Spool(folder, **{"limit": 10 * MIB, "segment_seconds": 0.0, **options})


def contents(folder: Path) -> list[NewDelivery]:
    """Everything that could be replayed, in order."""
    rows: list[NewDelivery] = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with path.open("rb") as file:
            rows += segment.read(file, Damage())
    return rows


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


class Postgres:
    """Takes rows, refuses those with a mark, and may be away; one whose row is `held` it can't take now."""

    def __init__(self) -> None:
        self.rows: list[NewDelivery] = []
        self.away = False
        self.held = b""

    async def store(self, rows: Sequence[NewDelivery]) -> list[object]:
        if self.away:
            raise Unavailable("away")
        trouble: dict[bytes, Exception] = {b"refused": ValueError("refused"), self.held: Contended("held")}
        self.rows += [one for one in rows if one.raw not in trouble]
        return [trouble.get(one.raw, "stored") for one in rows]


async def test_what_was_appended_is_on_disk_with_its_ids_and_its_time(tmp_path: Path) -> None:
    one = spool(tmp_path)
    given = [row()._replace(outcome="accepted", received_at=None), row(quarantined=True)]
    await one.append(given)
    accepted, quarantined = contents(tmp_path)
    assert (accepted.id, accepted.lead_id, accepted.outcome) == (given[0].id, given[0].lead_id, "spooled")
    assert accepted.received_at
    assert quarantined == given[1]


async def test_those_that_append_at_once_share_a_sync(tmp_path: Path) -> None:
    syncs: list[int] = []
    one = spool(tmp_path, sync=lambda descriptor: (syncs.append(descriptor), os.fsync(descriptor))[1])
    rows = [row(str(n).encode()) for n in range(200)]
    await asyncio.gather(*(one.append([each]) for each in rows))
    assert [each.raw for each in contents(tmp_path)] == [each.raw for each in rows]
    assert len(syncs) <= 3


async def test_a_full_spool_refuses_and_takes_again_when_it_was_drained(tmp_path: Path) -> None:
    one, postgres = spool(tmp_path, limit=3000), Postgres()
    await one.append([row(b"a" * 2000)])
    with pytest.raises(Unavailable) as caught:
        await one.append([row(b"b" * 2000)])
    assert caught.value.retry_after
    assert [each.raw[:1] for each in contents(tmp_path)] == [b"a"]
    one.rotate()
    assert await Drainer(one, postgres.store).drain() == 1
    one.measure()
    await one.append([row(b"b" * 2000)])
    assert one.healthy


async def test_a_disk_that_takes_only_a_part_makes_no_promise(tmp_path: Path) -> None:
    """RLIMIT_FSIZE gives a short write first and EFBIG then, as a full disk does."""
    assert _in_a_process(_fill, str(tmp_path)) == 0
    kept = contents(tmp_path)
    assert [each.raw[:1] for each in kept] == [b"a"]
    assert [file.suffix for file in files(tmp_path)] == [SUFFIX]


def _fill(folder: str) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    async def run() -> None:
        one = spool(Path(folder))
        await one.append([row(b"a" * 5000)])
        with pytest.raises(Unavailable):
            await one.append([row(b"b" * 8000)])

    asyncio.run(run())


async def test_a_failed_sync_makes_no_promise(tmp_path: Path) -> None:
    failing = [False]

    def sync(descriptor: int) -> None:
        if failing[0]:
            failing[0] = False
            raise OSError(5, "input/output error")
        os.fsync(descriptor)

    one = spool(tmp_path, sync=sync)
    await one.append([row(b"a")])
    failing[0] = True
    with pytest.raises(Unavailable):
        await one.append([row(b"b")])
    assert not one.healthy
    await one.append([row(b"c")])
    assert one.healthy
    assert [each.raw for each in contents(tmp_path)] == [b"a", b"c"]


async def test_a_segment_is_drained_when_nobody_writes_to_it(tmp_path: Path) -> None:
    one, postgres = spool(tmp_path, segment_seconds=3600), Postgres()
    drainer = Drainer(one, postgres.store)
    await one.append([row(b"a")])
    one.rotate()
    assert await drainer.drain() == 0  # too young: still locked
    one.close()
    assert await drainer.drain() == 1
    assert (len(postgres.rows), files(tmp_path)) == (1, [])


async def test_a_segment_of_which_one_row_is_held_stays_until_all_of_it_is_stored(tmp_path: Path) -> None:
    one, postgres = spool(tmp_path), Postgres()
    await one.append([row(b"a"), row(b"b"), row(b"c")])
    one.rotate()
    postgres.held = b"b"
    with pytest.raises(Unavailable):
        await Drainer(one, postgres.store).drain()
    assert [file.suffix for file in files(tmp_path)] == [SUFFIX]
    postgres.held = b""
    assert await Drainer(one, postgres.store).drain() == 3
    assert ({each.raw for each in postgres.rows}, files(tmp_path)) == ({b"a", b"b", b"c"}, [])


async def test_segments_are_drained_in_their_order(tmp_path: Path) -> None:
    one, postgres = spool(tmp_path, segment_bytes=1), Postgres()
    for n in range(5):
        await one.append([row(str(n).encode())])
    assert one.state().segments == 5
    await Drainer(one, postgres.store).drain()
    assert [each.raw for each in postgres.rows] == [b"0", b"1", b"2", b"3", b"4"]


async def test_what_a_killed_writer_left_is_drained(tmp_path: Path) -> None:
    assert _in_a_process(_append_and_die, str(tmp_path)) == -signal.SIGKILL
    postgres = Postgres()
    assert await Drainer(spool(tmp_path), postgres.store).drain() == 3


def _append_and_die(folder: str) -> None:
    async def run() -> None:
        await spool(Path(folder), segment_seconds=3600).append([row(b"a"), row(b"b"), row(b"c")])

    asyncio.run(run())
    os.kill(os.getpid(), signal.SIGKILL)


async def test_the_segment_of_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    there, here = context.Event(), context.Event()
    writer = context.Process(target=_append_and_wait, args=(str(tmp_path), there, here))
    writer.start()
    try:
        assert await asyncio.to_thread(there.wait, 30)
        postgres = Postgres()
        drainer = Drainer(spool(tmp_path), postgres.store)
        assert await drainer.drain() == 0
        here.set()
        await asyncio.to_thread(until, lambda: writer.exitcode == 0)
        assert await drainer.drain() == 1
    finally:
        writer.kill()


def _append_and_wait(folder: str, there: Any, here: Any) -> None:
    asyncio.run(spool(Path(folder), segment_seconds=3600).append([row(b"a")]))
    there.set()
    here.wait(30)


async def test_while_postgres_is_away_a_segment_stays(tmp_path: Path) -> None:
    one, postgres = spool(tmp_path), Postgres()
    await one.append([row(b"a")])
    one.rotate()
    postgres.away = True
    with pytest.raises(Unavailable):
        await Drainer(one, postgres.store).drain()
    assert len(contents(tmp_path)) == 1
    postgres.away = False
    assert await Drainer(one, postgres.store).drain() == 1


async def test_what_postgres_refuses_is_set_aside_and_the_rest_is_stored(tmp_path: Path) -> None:
    one, postgres = spool(tmp_path), Postgres()
    await one.append([row(b"a"), row(b"refused"), row(b"c")])
    one.rotate()
    assert await Drainer(one, postgres.store).drain() == 2
    assert [each.raw for each in postgres.rows] == [b"a", b"c"]
    (bad,) = files(tmp_path)
    with bad.open("rb") as file:
        assert [each.raw for each in segment.read(file, Damage())] == [b"refused"]
    assert (bad.suffix, one.state().bad) == (BAD, 1)


async def test_a_damaged_segment_gives_what_is_whole_and_is_kept(tmp_path: Path) -> None:
    one, postgres = spool(tmp_path), Postgres()
    await one.append([row(b"a"), row(b"b"), row(b"c")])
    one.close()
    (path,) = files(tmp_path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert await Drainer(one, postgres.store).drain() == 2
    assert [file.suffix for file in files(tmp_path)] == [BAD]
    assert await Drainer(one, postgres.store).drain() == 0


async def test_two_drainers_store_nothing_that_is_not_there_any_more(tmp_path: Path) -> None:
    one, postgres = spool(tmp_path, segment_bytes=1), Postgres()
    for n in range(20):
        await one.append([row(str(n).encode())])
    drainers = [Drainer(one, postgres.store) for _ in range(2)]
    assert sum(await asyncio.gather(*(each.drain() for each in drainers))) == 20
    assert len(postgres.rows) == 20


def test_a_folder_that_cannot_be_written_to_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(ConfigurationError, match="REVENUEFLOW_SPOOL_DIR"):
        spool(file)


async def test_the_state_tells_bytes_and_age(tmp_path: Path) -> None:
    one = spool(tmp_path)
    assert one.state().oldest_seconds == 0
    await one.append([row(b"a" * 1000)])
    state = one.state()
    assert state.bytes > 1000
    assert 0 <= state.oldest_seconds < 60
    assert state.healthy


def _in_a_process(work: Callable[[str], None], folder: str) -> int | None:
    process = multiprocessing.get_context("fork").Process(target=work, args=(folder,))
    process.start()
    process.join(30)
    return process.exitcode
