"""What a check of free statements says when it decides."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from pydantic import JsonValue

from revenueflow.grounding.free.leaves import Leaf


class Stance(StrEnum):
    """How the evidence stands to a part of a statement. Missing: it would have to say so, and does not."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    MISSING = "missing"


class Finding(NamedTuple):
    """A stance and why: `expected` is what the statement says, `found` what the `leaves` say.

    `score` is 1 for surely so and 0 for surely not so: agreement lies above 0.5, the others below.
    """

    stance: Stance
    check: str
    score: float
    expected: JsonValue = None
    found: JsonValue = None
    leaves: tuple[Leaf, ...] = ()
