"""What is reported of a run."""

from __future__ import annotations

from array import array
from collections import Counter

import pytest

from revenueflow.bench import ingest, pipeline
from revenueflow.bench.load import Load
from revenueflow.bench.plan import Plan, Source, Target
from revenueflow.db.progress import Times

TARGET = Target(host="127.0.0.1", port=1, source=Source.MARKETO, secret="s")


def test_ingest_counts_leads_by_what_became_of_them() -> None:
    load = Load(
        array("d", [0.01] * 9), array("d"), Counter({202: 8, 503: 1}),
        Counter({"accepted": 4, "duplicate": 2, "spooled": 1, "quarantined": 1}), sent=10, errors=1, seconds=2,
    )  # fmt: skip
    told = ingest.figures(Plan(target=TARGET, campaign="c", requests=10), load)
    assert (told["accepted"], told["duplicates"], told["spooled"]) == (4, 2, 1)
    assert told["other"] == {"quarantined": 1}
    assert told["refused"] == {"503": 1}
    assert (told["sent"], told["errors"], told["rate"], told["p99_9"]) == (10, 1, 4.0, 0.01)
    assert "late_p99" not in told


def test_a_constant_rate_tells_how_late_the_generator_was() -> None:
    plan = Plan(target=TARGET, campaign="c", rate=5, duration=1)
    assert ingest.figures(plan, Load(late=array("d", [0.2]), seconds=1))["late_p99"] == 0.2


def test_pipeline_counts_what_is_not_finished() -> None:
    load = Load(array("d", [0.01]), statuses=Counter({202: 10}), sent=10)
    told = pipeline.figures(load, {"processed": 6, "parked": 1, "processing": 2}, [], None)
    assert (told["processed"], told["parked"], told["dead"], told["unfinished"]) == (6, 1, 0, 3)
    assert told["time_in_system"]["p95"] is None
    assert told["rate"] is None


def test_time_in_the_system_and_what_of_it_is_our_own() -> None:
    times = [Times(100 + n, 100 + n + 1.5 + n / 100) for n in range(101)]
    told = pipeline.figures(Load(), {}, times, 1.5)
    assert told["time_in_system"]["p95"] == pytest.approx(2.45)
    assert told["own_time"]["p95"] == pytest.approx(0.95)
    assert told["seconds"] == pytest.approx(102.5)
    assert told["rate"] == round(101 / 102.5, 1)
    assert told["steady_rate"] == pytest.approx(1.0, abs=0.02)
