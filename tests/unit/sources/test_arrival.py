"""Ids are computed: the same wherever, whenever, with or without a database."""

from __future__ import annotations

import hmac
from dataclasses import replace
from hashlib import sha256
from uuid import UUID, uuid5

import pytest

from revenueflow.domain.lead import LeadForm
from revenueflow.privacy.identity import IdentityKey
from revenueflow.sources.aliases import Understood
from revenueflow.sources.arrival import Arrival, Identified, identify

KEY = IdentityKey(b"k" * 32)


def arrival(**form: str) -> Arrival:
    return Arrival("marketo", "key", b"{}", "", Understood(form=LeadForm(**form)), own_id="17")


def lead_of(one: Arrival) -> UUID | None:
    return identify(one, KEY).lead_id


def test_ids_never_change() -> None:
    """Customers' CRMs hold them: no release may compute other ones. Written out here without our code."""
    known = identify(arrival(email="dana@x.example"), KEY)
    identity = hmac.new(b"k" * 32, b"email\ndana@x.example", sha256).hexdigest()
    assert known.identity_key == identity
    assert known.delivery_id == uuid5(UUID("0b6f8d8a-52a5-5a0e-9a5b-6b1f0d6f7c01"), "marketo\nkey")
    assert known.lead_id == uuid5(UUID("0b6f8d8a-52a5-5a0e-9a5b-6b1f0d6f7c02"), f"{identity}\ndefault")


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        ({"email": "dana@x.example"}, {"linkedin_url": "https://linkedin.com/in/dana"}),
        ({"linkedin_url": "https://linkedin.com/in/dana"}, {}),
    ],
)
def test_the_first_identity_that_is_present_counts(stronger: dict[str, str], weaker: dict[str, str]) -> None:
    both = arrival(**(stronger | weaker))
    assert lead_of(both) == lead_of(replace(arrival(**stronger), own_id=None))
    assert lead_of(both) != lead_of(arrival(**weaker))


def test_an_email_that_is_none_is_no_identity() -> None:
    assert lead_of(arrival(email="n/a")) == lead_of(arrival())


@pytest.mark.parametrize("other", [" DANA@x.example ", "dana@X.EXAMPLE"])
def test_spelling_of_an_address_makes_no_other_lead(other: str) -> None:
    assert lead_of(arrival(email=other)) == lead_of(arrival(email="dana@x.example"))


@pytest.mark.parametrize(
    "other", ["http://www.linkedin.com/in/Dana/", "linkedin.com/in/dana?trk=x", "https://de.linkedin.com/in/dana#about"]
)
def test_spelling_of_a_profile_makes_no_other_lead(other: str) -> None:
    assert lead_of(arrival(linkedin_url=other)) == lead_of(arrival(linkedin_url="https://linkedin.com/in/dana"))


def test_an_own_id_belongs_to_its_source() -> None:
    one = arrival()
    assert lead_of(one) != lead_of(replace(one, source="webhook"))
    assert lead_of(replace(arrival(email="a@x.example"), source="webhook")) == lead_of(arrival(email="a@x.example"))


def test_a_campaign_makes_another_lead_of_the_same_person() -> None:
    there = replace(arrival(), understood=Understood(campaign_id="other"))
    here = replace(arrival(), understood=Understood())
    assert lead_of(here) != lead_of(there)
    assert identify(here, KEY).identity_key == identify(there, KEY).identity_key


def test_another_key_makes_other_leads_and_the_same_deliveries() -> None:
    one, other = (identify(arrival(email="dana@x.example"), IdentityKey(secret)) for secret in (b"a" * 32, b"b" * 32))
    assert one.delivery_id == other.delivery_id
    assert one.lead_id != other.lead_id


def test_no_identity_no_lead() -> None:
    one = replace(arrival(name="Dana", phone="+49 30 1"), own_id=None)
    assert identify(one, KEY) == Identified(one, identify(one, KEY).delivery_id, None, None, "no_identity")


def test_what_was_not_understood_keeps_its_reason() -> None:
    one = Arrival("marketo", "key", b"{", "", reason="malformed_json", own_id="17")
    assert (identify(one, KEY).lead_id, identify(one, KEY).reason) == (None, "malformed_json")


def test_own_id_first() -> None:
    event = replace(arrival(email="a@x.example"), own_id_first=True)
    assert lead_of(event) == lead_of(replace(event, understood=Understood()))
