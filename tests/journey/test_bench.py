"""`revenueflow bench` against a running system: small runs, whose counts must be those of the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journey.conftest import Up
from tests.support import cli
from tests.support.processes import until

pytestmark = pytest.mark.slow


@pytest.fixture
def before(up: Up) -> Iterator[int]:
    yield _count(up, "deliveries")


def _count(up: Up, table: str) -> int:
    return int(up.looker.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"])


@pytest.mark.parametrize("source", ["marketo", "lead"])
def test_ingest_measures_what_is_kept(up: Up, before: int, source: str) -> None:
    arguments = ("--requests", "60", "--warmup", "5", "--connections", "4", "--source", source)
    ran = cli.run(up.folder, "bench", "ingest", "--ports-file", "ports.json", *arguments)
    assert ran.code == 0, ran.err
    (told,) = ran.lines
    assert (told["sent"], told["errors"], told["refused"], told["duplicates"]) == (60, 0, {}, 0)
    # A commit may have taken too long on a busy machine: what was spooled is in the database soon.
    assert told["accepted"] + told["spooled"] == 60
    until(lambda: _count(up, "deliveries") - before == 65)
    assert 0 < told["p50"] <= told["p99"] <= told["p99_9"] <= told["max"]
    assert told["cpu_per_1000"].keys() == up.told["pids"].keys() | {"generator"}
    assert told["cpu_per_1000"]["api"] > 0
    assert told["cpu_per_1000"]["postgres"] >= 0  # in ticks of 10 ms: a short run may take less


@pytest.mark.parametrize("pace", [("--rate", "40"), ()], ids=["rate", "backlog"])
def test_pipeline_waits_until_every_lead_is_processed(up: Up, pace: tuple[str, ...]) -> None:
    processed = "leads WHERE status = 'processed'"
    before = _count(up, processed)
    arguments = ("--leads", "8", "--warmup", "1", "--floor", "0.5", *pace)
    ran = cli.run(up.folder, "bench", "pipeline", "--ports-file", "ports.json", *arguments)
    assert ran.code == 0, ran.err
    (told,) = ran.lines
    assert (told["accepted"], told["processed"], told["unfinished"], told["dead"]) == (8, 8, 0, 0)
    assert _count(up, processed) - before >= 8
    assert told["time_in_system"]["p95"] - told["own_time"]["p95"] == pytest.approx(0.5)
    assert told["cpu_per_1000"]["worker"] > 0


def test_a_wrong_secret_is_counted_and_fails(up: Up) -> None:
    arguments = ("--url", up.told["api"], "--secret", "wrong", "--requests", "5", "--warmup", "0")
    ran = cli.run(up.folder, "bench", "ingest", *arguments)
    assert ran.code == 1
    assert ran.lines[0]["refused"] == {"401": 5}


def test_no_more_leads_are_in_flight_than_wanted(up: Up) -> None:
    arguments = ("--leads", "15", "--warmup", "2", "--in-flight", "5")
    ran = cli.run(up.folder, "bench", "pipeline", "--ports-file", "ports.json", *arguments)
    assert ran.code == 0, ran.err
    # Three waves, one after the other.
    assert ran.lines[0]["seconds"] > 2 * ran.lines[0]["time_in_system"]["p50"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("ingest",), 2),
        (("ingest", "--url", "http://127.0.0.1:1", "--secret", "x", "--duration", "1", "--requests", "1"), 2),
        (("ingest", "--url", "http://127.0.0.1:1", "--secret", "x"), 75),
        (("ingest", "--url", "https://127.0.0.1:1", "--secret", "x"), 78),
        (("pipeline", "--ports-file", "none.json"), 2),
    ],
    ids=str,
)
def test_what_can_not_be_measured_is_refused(tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    ran = cli.run(tmp_path, "bench", *arguments)
    assert (ran.code, ran.out) == (code, "")
