"""The sample: 100 labelled leads in their senders' own wire form. How the labels follow: data/README.md."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import orjson
from pydantic import JsonValue

from revenueflow.domain.base import Value
from revenueflow.domain.lead import LeadStatus, Tier

DATA = Path(__file__).parent / "data"
CSV = DATA / "sample.csv"
"""The rows with `via` "csv", in their order; row k of the file (after the header) is the k-th of them."""

Via = Literal["marketo", "hubspot", "lead", "csv"]


class Expected(Value):
    """What is to come of a lead.

    `tier` and `owner` are None for a lead that is parked before it is scored. `duplicate`: this very delivery
    was sent before, as line `same_lead_as`. `same_lead_as` alone: another delivery of the lead of that line.
    """

    status: Literal[LeadStatus.PROCESSED, LeadStatus.PARKED] = LeadStatus.PROCESSED
    tier: Tier | None = None
    owner: str | None = None
    duplicate: bool = False
    same_lead_as: int | None = None
    note: str


class SampleLead(Value):
    """One delivery: `payload` is what the sender sends (for HubSpot, one event of the array)."""

    n: int
    via: Via
    payload: dict[str, JsonValue]
    expected: Expected


def load() -> tuple[SampleLead, ...]:
    """All lines of data/sample.jsonl, in order."""
    lines = (DATA / "sample.jsonl").read_bytes().splitlines()
    return tuple(SampleLead.model_validate(orjson.loads(line)) for line in lines)
