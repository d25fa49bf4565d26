"""Whose turn it is: smooth weighted round robin, as fair when reps come and go.

Each turn adds to every rep its weight's share of one turn, its credit, and takes one from the rep that is chosen: the
one with the most credit, of equals the one whose turn is longest ago. Credits of those who take part are never more
than one turn apart (two, if weights differ), so nobody who was away catches up in a row.

Guarantee: reps of equal weight that could both be chosen throughout a window of turns take turns strictly: neither gets
more than one more than the other, whoever else comes and goes. So in a window in which the same reps can be chosen each
gets its share, off by less than one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import Field

from revenueflow.domain.base import Value
from revenueflow.routing.reps import Rep

EXACT, EQUAL = 9, 6
"""Decimals that are kept of a credit, and those in which two must agree to be equal."""


class Standing(Value):
    """What is kept of a rep in a rotation: its credit in turns, and the number of its last turn (0: none yet)."""

    credit: float = 0
    last: int = 0


class Rotation(Value):
    """The state of one rotation: how many turns were taken, and how each rep stands."""

    turns: int = 0
    standings: Mapping[str, Standing] = Field(default_factory=dict)


class Turn(NamedTuple):
    """Whose turn it is, and the rotation after it."""

    rep_id: str
    rotation: Rotation


def next_turn(rotation: Rotation, reps: Sequence[Rep]) -> Turn:
    """The next turn among these reps; the others stand as they did. `reps` must not be empty."""
    weights = sum(rep.weight for rep in reps)
    before = {rep.id: rotation.standings.get(rep.id, Standing()) for rep in reps}
    reach = 1 if len({rep.weight for rep in reps}) == 1 else 2
    least = max(standing.credit for standing in before.values()) - reach
    credit_of = {rep.id: max(before[rep.id].credit, least) + rep.weight / weights for rep in reps}
    chosen = min(credit_of, key=lambda id_: (-round(credit_of[id_], EQUAL), before[id_].last, id_))
    credit_of[chosen] -= 1
    number = rotation.turns + 1
    after = {
        id_: Standing(credit=round(credit, EXACT), last=number if id_ == chosen else before[id_].last)
        for id_, credit in credit_of.items()
    }
    return Turn(chosen, Rotation(turns=number, standings={**rotation.standings, **after}))
