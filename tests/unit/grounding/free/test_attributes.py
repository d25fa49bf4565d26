"""Yes-or-no attributes: what is true, false and unknown in a record."""

from __future__ import annotations

import pytest

from revenueflow.grounding.checks.free.attributes import attribute
from revenueflow.grounding.free.finding import Stance
from tests.unit.grounding.free.listing import finding, verdict

TRUE = [
    "It offers free Wi-Fi.",
    "WiFi: yes",
    "Takeout is available.",
    "It accepts credit cards, but there is no outdoor seating.",
    "There is no outdoor seating.",
    "The studio doesn't have outdoor seating.",
    "Outdoor seating is not available.",
    "It offers takeout, and outdoor seating is not available.",
    "It has no outdoor seating and offers WiFi.",
    "OutdoorSeating: No",
    "It has bike parking with racks.",
    "It has bike parking, but no lockers.",
    "It is a casual place.",
    "The place is casual rather than formal.",
    "It is neither romantic nor intimate.",
    "Not only WiFi but also takeout is offered.",
]
FALSE = [
    "It has no Wi-Fi.",
    "It does not offer WiFi or takeout.",
    "WiFi and takeout are not available.",
    "It offers outdoor seating.",
    "It offers WiFi, takeout and outdoor dining.",
    "A romantic spot.",
    "It has an intimate atmosphere.",
    "Bike parking has lockers.",
    "There is no bike parking.",
    "Credit cards are not accepted.",
    "Without WiFi, people go elsewhere.",
    "It lacks takeout.",
]
UNKNOWN = ["It has parking.", "It does not have parking.", "It is wheelchair accessible.", "An upscale place."]
SILENT = [
    "There is no information about parking.",
    "Wheelchair access is not specified.",
    "It is unknown whether it has parking.",
    "One customer mentioned that they had no WiFi that day.",
    "The team works on the street.",
]


@pytest.mark.parametrize("statement", TRUE)
def test_an_attribute_in_the_state_that_is_said_agrees(statement: str) -> None:
    found = finding(attribute, statement)
    assert found is not None
    assert found.stance is Stance.AGREES, found


@pytest.mark.parametrize("statement", FALSE)
def test_an_attribute_in_the_other_state_disagrees(statement: str) -> None:
    found = finding(attribute, statement)
    assert found is not None
    assert found.stance is Stance.DISAGREES, found


@pytest.mark.parametrize("statement", UNKNOWN)
def test_null_is_unknown_and_backs_neither_yes_nor_no(statement: str) -> None:
    found = finding(attribute, statement)
    assert found is not None
    assert found.stance is Stance.MISSING, found


@pytest.mark.parametrize("statement", SILENT)
def test_what_is_said_to_be_unknown_or_told_of_a_visit_is_not_compared(statement: str) -> None:
    assert finding(attribute, statement) is None


def test_a_group_that_the_record_does_not_know_backs_no_style() -> None:
    found = finding(attribute, "It has a casual atmosphere.", {"name": "X", "ambience": None, "WiFi": "no"})
    assert found is not None
    assert found.stance is Stance.MISSING


def test_attributes_of_software_are_attributes_too() -> None:
    record = {"plan": "Pro", "hasFreeTrial": True, "features": {"sso": False, "api_access": True, "auditLog": None}}
    assert verdict("It has a free trial and API access.", record).verdict == "supported"
    assert verdict("It offers SSO.", record).verdict == "contradicted"
    assert verdict("There is no free trial.", record).verdict == "contradicted"
    assert verdict("It has an audit log.", record).verdict == "unsupported"


def test_the_verdict_shows_what_was_said_and_found() -> None:
    found = verdict("It offers outdoor seating.")
    assert (found.verdict, found.decided_by) == ("contradicted", "attribute")
    assert (found.expected, found.found) == ({"outdoorseating": True}, {"outdoorseating": False})
    assert found.anti_citations == ("E1",)
    assert found.score < 0.1
