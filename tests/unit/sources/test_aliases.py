"""What senders call a thing, and what we make of their values."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from revenueflow import defaults
from revenueflow.domain.lead import LeadForm
from revenueflow.sources.aliases import LONGEST_VALUE, fold, plain, pointer_to, understand, wrong_types

MARKETO = {
    "Email Address": "email", "First Name": "first", "Last Name": "last", "Company Name": "company",
    "Job Title": "title",
    "Phone Number": "phone", "Country": "country", "Industry": "industry", "Number of Employees": "headcount",
    "Lead Source": "source", "Website": "website", "Person Notes": None, "City": "location",
}  # fmt: skip
HUBSPOT = {
    "email": "email", "firstname": "first", "lastname": "last", "company": "company", "jobtitle": "title",
    "phone": "phone", "mobilephone": "phone", "country": "country", "industry": "industry",
    "numberofemployees": "headcount", "website": "website", "message": "message", "hs_linkedin_url": "linkedin_url",
    "city": "location",
}  # fmt: skip
OTHERS = {
    "jobTitle": "title", "title": "title", "role": "title", "companySize": "headcount",
    "numberOfEmployees": "headcount",
    "company_size": "headcount", "Headcount": "headcount", "work_email": "email", "E-Mail": "email",
    "emailAddress": "email",
    "fullName": "name", "Full Name": "name", "organization": "company", "Organisation": "company", "Firma": "company",
    "Vorname": "first", "Nachname": "last", "Branche": "industry", "Land": "country", "phoneNumber": "phone",
    "linkedinUrl": "linkedin_url", "LinkedIn Profile": "linkedin_url", "utm_source": "source", "comments": "message",
    "notes": "message", "campaign_id": "campaign", "campaignId": "campaign", "campaign": "campaign",
    "program": "campaign", "Program Name": "campaign", "id": "source_id", "leadId": "source_id",
    "external_id": "source_id",
}  # fmt: skip


@pytest.mark.parametrize(("name", "ours"), [*MARKETO.items(), *HUBSPOT.items(), *OTHERS.items()])
def test_names_of_common_senders(name: str, ours: str | None) -> None:
    understood = understand({name: "some text"})
    if ours is None:
        assert understood == understand({})
    elif ours == "campaign":
        assert understood.campaign_id == "some text"
    elif ours == "source_id":
        assert understood.source_id == "some text"
    else:
        field = {"first": "name", "last": "name"}.get(ours, ours)
        assert understood.form == LeadForm(**{field: "some text"})


def test_no_name_means_two_things() -> None:
    table = defaults.toml("field_aliases.toml")
    fields = [{fold(name) for name in names} for group in table.values() for names in group.values()]
    assert sum(map(len, fields)) == len(set().union(*fields))


def test_the_first_name_in_the_table_wins_whatever_the_order_of_the_payload() -> None:
    one = {"role": "Buyer", "title": "CFO", "Job Title": "VP"}
    assert understand(one).form.title == understand(dict(reversed(one.items()))).form.title == "CFO"


def test_a_blank_first_choice_leaves_room_for_the_second() -> None:
    assert understand({"title": "  ", "role": "Buyer"}).form.title == "Buyer"


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        ({"First Name": "Dana", "Last Name": "Reyes"}, "Dana Reyes"),
        ({"lastname": "Reyes"}, "Reyes"),
        ({"name": "D. Reyes", "firstname": "Dana", "lastname": "Reyes"}, "D. Reyes"),
        ({"firstname": "", "lastname": " "}, None),
    ],
)
def test_names_are_joined_unless_given_whole(payload: dict[str, object], name: str | None) -> None:
    assert understand(payload).form.name == name


@pytest.mark.parametrize("value", [None, True, False, [], ["a"], {}, {"value": "a"}, "", " \t\n", "\x00\x01", "\u200b"])
def test_values_that_say_nothing_are_left_out(value: object) -> None:
    assert understand({"company": value}).form.company is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (240, "240"),
        (0, "0"),
        (2.5, "2.5"),
        ("  Acme \n", "Acme"),
        ("Ac\x00me\x1b[31m\x7f", "Acme[31m"),
        ("Acme\u00a0GmbH", "Acme GmbH"),
        ("山田\u3000太郎", "山田 太郎"),
        ("two\r\nlines\tand\rmore", "two\nlines\tand more"),
        ("de\u202emo\ufeff", "demo"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("x" * (LONGEST_VALUE + 1), "x" * LONGEST_VALUE),
    ],
)
def test_values_as_plain_text(value: object, text: str) -> None:
    assert plain(value) == text


@given(some.text())
def test_plain_text_can_be_stored_and_is_stable(text: str) -> None:
    found = plain(text)
    if found is not None:
        assert "\0" not in found
        found.encode()
        assert plain(found) == found


@given(some.dictionaries(some.text(max_size=20), some.none() | some.booleans() | some.text() | some.floats()))
def test_no_payload_breaks_it(payload: dict[str, object]) -> None:
    understand(payload)


def test_a_long_campaign_is_cut() -> None:
    assert understand({"campaign": "c" * 500}).campaign_id == "c" * 200


def test_wrong_types_name_the_place_in_the_senders_words_and_escape_it() -> None:
    faults = wrong_types(
        {"Job/Title": ["secret"], "email": True, "company": {"a": "secret"}, "unknown": [], "phone": 5}
    )
    assert [fault.pointer for fault in faults] == ["/Job~1Title", "/email", "/company"]
    assert "secret" not in str(faults)


def test_the_pointer_leads_to_the_name_that_counted() -> None:
    payload = {"Mail": "b", "E-Mail": "a", "work email": ""}
    assert pointer_to("email", payload) == "/E-Mail"
    assert pointer_to("email", {}) == "/email"


def test_an_operator_can_add_names(tmp_path: Path) -> None:
    (tmp_path / "field_aliases.toml").write_text('[lead]\nemail = ["correo"]\n[envelope]\nsource_id = ["nro"]\n')
    assert understand({"Correo": "a@x.example", "email": "b@x.example"}, tmp_path).form.email == "a@x.example"
