from __future__ import annotations

from revenueflow.sandbox.dice import Counter


def rolls(counter: Counter, body: bytes, times: int = 3) -> list[float]:
    return [counter.dice("crm", "PUT", "/records/lead/1", body).roll("error") for _ in range(times)]


def test_the_order_of_other_requests_changes_nothing() -> None:
    alone, mixed = Counter(7), Counter(7)
    rolls(mixed, b"another")
    assert rolls(alone, b"one") == rolls(mixed, b"one")


def test_the_same_request_rolls_anew_each_time_and_under_each_seed() -> None:
    first, second = rolls(Counter(1), b"one"), rolls(Counter(2), b"one")
    assert len({*first, *second}) == 6


def test_a_clear_counter_begins_again() -> None:
    counter = Counter(1)
    first = rolls(counter, b"one")
    counter.clear()
    assert rolls(counter, b"one") == first


def test_rates_are_kept() -> None:
    dice = [Counter(1).dice("crm", "GET", f"/{n}", b"") for n in range(4000)]
    hits = sum(one.happens("error", 0.25) for one in dice)
    assert 900 < hits < 1100
    assert not any(one.happens("error", 0.0) for one in dice)
    assert all(one.happens("error", 1.0) for one in dice)
