"""Fairness of turns, whoever comes and goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as some

from revenueflow.routing.rules import Rep
from revenueflow.routing.turns import Rotation, next_turn


def rep(number: int, weight: int = 1) -> Rep:
    return Rep(id=f"r{number}", name="R", email="r@x.example", timezone="UTC", country="US", weight=weight)


def turns(sets: Sequence[Sequence[Rep]], rotation: Rotation | None = None) -> list[str]:
    state, chosen = rotation or Rotation(), []
    for reps in sets:
        # What is stored and read again must not differ from what was in memory.
        id_, state = next_turn(Rotation.model_validate_json(state.model_dump_json()), reps)
        chosen.append(id_)
    return chosen


def off_by(window: Sequence[str], ids: Sequence[str]) -> int:
    counts = Counter(window)
    return max(counts[id_] for id_ in ids) - min(counts[id_] for id_ in ids)


subsets = some.lists(some.sets(some.integers(0, 5), min_size=1, max_size=6), min_size=1, max_size=60)


@settings(deadline=None)
@given(subsets)
def test_two_who_were_there_throughout_a_window_differ_by_one_turn_at_most(there: list[set[int]]) -> None:
    chosen = turns([[rep(n) for n in sorted(reps)] for reps in there])
    for start in range(len(there)):
        always = set(there[start])
        for end in range(start, len(there)):
            always &= there[end]
            if len(always) > 1:
                assert off_by(chosen[start : end + 1], [f"r{n}" for n in always]) <= 1


@settings(deadline=None)
@given(subsets, some.integers(2, 8), some.integers(1, 30))
def test_equal_reps_take_strict_turns_after_whatever_was_before(there: list[set[int]], count: int, length: int) -> None:
    before = [[rep(n) for n in sorted(reps)] for reps in there]
    chosen = turns([*before, *[[rep(n) for n in range(count)]] * length])[len(before) :]
    for start in range(length):
        for end in range(start, length):
            counts = Counter(chosen[start : end + 1])
            share = (end - start + 1) / count
            assert all(abs(counts[f"r{n}"] - share) < 1 for n in range(count))


@settings(deadline=None)
@given(some.lists(some.integers(1, 9), min_size=1, max_size=6))
def test_weights_give_each_its_share_in_every_round(weights: list[int]) -> None:
    reps = [rep(n, weight) for n, weight in enumerate(weights)]
    chosen = turns([reps] * sum(weights) * 2)
    for one in (chosen[: sum(weights)], chosen[sum(weights) :]):
        assert [Counter(one)[f"r{n}"] for n in range(len(weights))] == weights


def test_turns_of_the_heavy_are_spread() -> None:
    assert turns([[rep(0, 5), rep(1), rep(2)]] * 7) == ["r0", "r0", "r1", "r0", "r2", "r0", "r0"]


def test_who_was_away_for_long_does_not_catch_up() -> None:
    pair, three = [rep(0), rep(1)], [rep(0), rep(1), rep(2)]
    chosen = turns([*[three] * 3, *[pair] * 100, *[three] * 6])[103:]
    assert sorted(Counter(chosen).values()) == [2, 2, 2]
    assert chosen[0] == "r2"
