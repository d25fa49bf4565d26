from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from revenueflow.domain.evidence import Evidence, Signal, Trust
from revenueflow.domain.lead import Lead, LeadForm
from revenueflow.enrichment.form import form_evidence

RECEIVED = datetime(2026, 11, 1, 9, tzinfo=UTC)
FORM = LeadForm(
    email="ada.canary@northwind.example",
    name="Ada Canary",
    phone="+49 30 5550 1234",
    company="Canary & Sons",
    website="https://www.northwind.example/ada-canary",
    title="CTO (Ada)",
    industry="Software",
    headcount="240",
    country="Deutschland",
    location="Berlin",
    linkedin_url="https://linkedin.example/in/ada-canary",
    source="webinar",
    message="Call me: 030 55501234 or ada.canary@northwind.example.\x00 Ada",
)


def lead(form: LeadForm = FORM, **more: str | None) -> Lead:
    fields = {"domain": "northwind.example", "email": form.email, "name": form.name, "phone": form.phone}
    return Lead(id=UUID(int=7), form=form, received_at=RECEIVED, **{**fields, "message": form.message, **more})


def by_signal(*evidence: Evidence) -> dict[Signal, tuple[str, object]]:
    return {item.signal: (item.path, item.value) for item in evidence}


def test_fields_become_self_reported_evidence_without_personal_data() -> None:
    found = form_evidence(lead(), run_key="1")
    assert by_signal(*found) == {
        Signal.COMPANY_NAME: ("$.company", "Canary & Sons"),
        Signal.INDUSTRY: ("$.industry", "Software"),
        Signal.HEADCOUNT: ("$.headcount", 240),
        Signal.COUNTRY: ("$.country", "Deutschland"),
        Signal.CITY: ("$.location", "Berlin"),
        Signal.SOURCE: ("$.source", "webinar"),
        Signal.TITLE: ("$.title", "CTO ([NAME])"),
        Signal.MESSAGE: ("$.message", "Call me: [PHONE] or [EMAIL]. [NAME]"),
        Signal.COMPANY_DOMAIN: ("$.website", "northwind.example"),
    }
    assert {(item.provider, item.trust, item.fetched_at) for item in found} == {("form", Trust.SELF_REPORTED, RECEIVED)}


def test_ids_are_the_same_within_a_run_and_differ_between_runs() -> None:
    first, again, other = (form_evidence(lead(), run_key=key) for key in ("1", "1", "2"))
    assert first == again
    assert not {item.id for item in first} & {item.id for item in other}
    assert len({item.id for item in first}) == len(first)


def test_what_capture_folded_goes_before_what_one_delivery_said() -> None:
    found = by_signal(*form_evidence(lead(title="CFO", country="AT"), run_key="1"))
    assert found[Signal.TITLE] == ("$.title", "CFO")
    assert found[Signal.COUNTRY] == ("$.country", "Deutschland")


def test_a_range_stays_text_and_blank_fields_give_nothing() -> None:
    form = LeadForm(headcount="51-200", company="  ", website="gmail.com")
    found = form_evidence(lead(form, domain=None), run_key="1")
    assert by_signal(*found) == {Signal.HEADCOUNT: ("$.headcount", "51-200")}
