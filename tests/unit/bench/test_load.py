"""Latencies are exact, and reach the process that asked for them whole."""

from __future__ import annotations

from array import array
from collections import Counter
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenueflow.bench.load import Load, percentile, percentiles


@pytest.mark.parametrize(("share", "wanted"), [(0.5, 50), (0.9, 90), (0.99, 99), (0.999, 100), (1.0, 100)])
def test_a_percentile_is_a_value_that_was_seen(share: float, wanted: int) -> None:
    assert percentile([float(n) for n in range(1, 101)], share) == wanted


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.001, 1))
def test_so_many_values_do_not_exceed_it_and_with_the_one_below_it_were_too_few(
    values: list[float], share: float
) -> None:
    found = percentile(sorted(values), share)
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values)


def test_without_values_there_is_no_percentile() -> None:
    assert percentiles([]) == dict.fromkeys(("p50", "p90", "p99", "p99_9", "max"))


def _load() -> Load:
    return Load(
        array("d", [0.1, 0.25]), array("d", [0.01]), Counter({202: 2, 503: 1}), Counter({"accepted": 2}),
        sent=4, errors=1, seconds=2.5, cpu=0.5, memory=1000,
    )  # fmt: skip


def test_a_load_is_read_as_it_was_written() -> None:
    file = BytesIO()
    _load().write(file)
    file.seek(0)
    assert Load.read(file) == _load()


def test_a_load_that_is_cut_off_is_refused() -> None:
    file = BytesIO()
    _load().write(file)
    for length in range(len(file.getvalue())):
        with pytest.raises(ValueError):
            Load.read(BytesIO(file.getvalue()[:length]))


def test_only_what_was_answered_with_a_2xx_is_kept() -> None:
    assert _load().kept == 2
