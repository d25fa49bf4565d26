"""The doorbell: whoever can write to Redis can ring, and nothing else."""

from __future__ import annotations

import os
import pickle
import re
import time
from collections.abc import Callable
from pathlib import Path

import msgpack
import pytest
import redis
from arq.constants import job_key_prefix
from arq.jobs import serialize_job

from revenueflow.queue.doorbell import QUEUE, serialize
from tests.support.house import LEAD, House, eventually


class Exploit:
    """Runs a command in whoever unpickles it."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self._marker}",)


def message(function: str, *arguments: object) -> bytes:
    return serialize_job(function, arguments, {}, None, int(time.time() * 1000), serializer=serialize)


def plant(client: redis.Redis, name: str, content: bytes | None) -> None:
    """A ring with this content; None plants a key of a wrong type."""
    if content is None:
        client.hset(job_key_prefix + name, "a", "b")
    else:
        client.set(job_key_prefix + name, content)
    client.zadd(QUEUE, {name: int(time.time() * 1000)})


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "executed"


GARBAGE = {
    "noise": b"\x00\xff garbage",
    "empty": b"",
    "number": msgpack.packb(7),
    "list": msgpack.packb([1, 2, 3]),
    "no-fields": msgpack.packb({"x": 1}),
    "deep": b"\x91" * 5000,
    "other-function": message("os.system", "id"),
    "no-uuid": message("run_job", "not-an-id"),
    "wrong-type": message("run_job", 17),
    "too-many": message("run_job", "a", "b", "c"),
    "unknown-job": message("run_job", "00000000-0000-0000-0000-000000000000"),
    "wrong-key-type": None,
}


@pytest.mark.parametrize("name", [*GARBAGE, "pickle"])
async def test_garbage_is_refused_and_does_not_hold_up_the_next_ring(home: House, marker: Path, name: str) -> None:
    content = pickle.dumps({"f": Exploit(marker), "a": (), "k": {}, "t": 1, "et": 1}) if name == "pickle" else (
        GARBAGE[name]
    )  # fmt: skip
    with redis.Redis.from_url(home.settings.redis.url) as client:
        plant(client, "bad", content)
        lead = await home.deliver()
        async with home.staffed():
            await home.until_state(lead, "done", seconds=8)

            async def cleared() -> bool:
                return client.zcard(QUEUE) == 0

            await eventually(cleared)
    assert list(marker.parent.glob(marker.name)) == []


async def test_only_ids_are_in_redis(home: House) -> None:
    await home.deliver()
    async with home.sweeper() as relay:
        await relay.sweep()
    with redis.Redis.from_url(home.settings.redis.url, decode_responses=False) as client:
        everything = b"".join(client.dump(key) or b"" for key in client.scan_iter())
    assert str(home.value("SELECT id FROM jobs")).encode() in everything
    digits = re.sub(r"\D", "", LEAD["phone"]).encode()  # all of them: three may be in any id
    for personal in (b"dana", b"reyes", b"larkvale", digits, LEAD["phone"].encode()):
        assert personal not in everything.lower()
