"""A business record of our own, as vendors of listings write them, and what the validator says of a statement."""

from __future__ import annotations

from pydantic import JsonValue

from revenueflow.domain.claim import Verdict
from revenueflow.grounding.checks.free.statement import Check
from revenueflow.grounding.free.finding import Finding
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.free.parts import Part
from tests.unit.grounding.lead import claim, judged, piece, rules

RECORD: dict[str, JsonValue] = {
    "name": "Lindenhof Studios",
    "address": "12 Harbour Road",
    "city": "Portland",
    "state": "OR",
    "categories": ["Coworking", "Coffee & Tea", "Event Spaces"],
    "stars": 4.5,
    "hours": {
        "Monday": "0:0-0:0", "Tuesday": "9:0-18:0", "Wednesday": "9:0-18:0", "Thursday": "9:0-18:0",
        "Friday": "9:0-22:30", "Saturday": "11:30-1:0", "Sunday": "11:30-17:0",
    },
    "attributes": {
        "WiFi": "free",
        "hasParking": None,
        "acceptsCreditCards": True,
        "OutdoorSeating": False,
        "RestaurantsTakeOut": True,
        "wheelchair_accessible": None,
        "BikeParking": {"racks": True, "lockers": False},
        "Ambience": {"casual": True, "romantic": False, "intimate": False, "upscale": None},
    },
    "reviews": [
        {"stars": 5, "text": "The staff was so helpful and the coffee is delicious. We hosted a launch party here."},
        {"stars": 2, "text": "Loud and crowded at noon, and the desks wobble. Prices went up to $35 a day."},
        {"stars": 5, "text": "Quiet rooms upstairs, quick check-in, friendly people."},
    ],
}  # fmt: skip


def verdict(statement: str, record: JsonValue = RECORD) -> Verdict:
    """Of a free statement that cites the record."""
    return judged(claim("other", None, statement, "E1"), {"E1": piece("listing", "description", record)}).verdict


def finding(check: Check, statement: str, record: JsonValue = RECORD) -> Finding | None:
    """What one check says of one sentence."""
    return check(Part(statement), Leaves({"E1": record}, lists=rules().statements))
