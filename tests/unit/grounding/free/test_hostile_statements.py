"""Texts by strangers: whatever they are made of, the readers look at a bounded part of them and answer."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from revenueflow.grounding.free import leaves as leaves_module
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.free.subject import LONGEST, MOST, fields, text_of
from revenueflow.grounding.free.timeline import periods
from tests.unit.grounding.free.record import SINGER, finding

SIZE = 100_000
PIECES = [
    "1 ", "1,", "1,000", "0", "a", "(", ")", "|", "in ", "over ", "more than ", "January ", "early ", "1990s ", "1990-",
    "and ", "the ", "twenty ", "hundred ", "by A, ", "m. 1990; ", "-", "'s ", "\u00a0", "é", "𝟙", "half a ",
    "the 19th century ", "born in 1990 ", "was directed by Ann ", "three labels ", "$5 million ", "\n", "age 5 ",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_an_endless_statement_is_none(piece: str) -> None:
    assert finding(SINGER, piece * (SIZE // len(piece))) is None


@pytest.mark.parametrize("piece", PIECES)
def test_an_endless_value_is_read_as_far_as_a_field_goes(piece: str) -> None:
    text = piece * (SIZE // len(piece))
    record: JsonValue = dict.fromkeys(
        ("Born", "Labels", "Spouse(s)", "Directed by", "Budget", "Length", "Genres"), text
    )
    finding(record, "Ann was born in 1990 in Rome, made three labels and was directed by Ann for $5 million.")
    (leaf,) = Leaves({"E1": {"Years active": text}}).all
    assert len(text_of(leaf)) == LONGEST
    assert len(periods(leaf)) <= LONGEST


def test_many_values_of_one_key_are_read_up_to_a_limit() -> None:
    leaves = Leaves({"E1": {"Labels": [f"label {number}" for number in range(SIZE)]}})
    assert [len(held) for held in fields(leaves).values()] == [MOST]


def test_each_reading_is_made_once() -> None:
    made: list[int] = []

    def read(leaves: leaves_module.Leaves) -> int:
        made.append(len(leaves.all))
        return len(made)

    leaves = Leaves({"E1": SINGER})
    assert [leaves.once(read), leaves.once(read)] == [1, 1]
