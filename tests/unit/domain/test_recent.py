"""What was asked for last is kept, and no more than that."""

from __future__ import annotations

from revenueflow.domain.recent import Recent


def test_the_last_ones_are_kept() -> None:
    made: list[str] = []

    def get(key: str) -> str:
        return recent.get(key, lambda: made.append(key) or key.upper())

    recent: Recent[str, str] = Recent(2)
    assert [get(key) for key in "abacab"] == list("ABACAB")
    assert made == ["a", "b", "c", "b"]
