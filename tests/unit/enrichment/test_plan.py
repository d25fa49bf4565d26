"""What is asked next, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from revenueflow.domain.evidence import Evidence, Signal, Trust
from revenueflow.domain.lead import Lead, LeadForm
from revenueflow.enrichment.base import KeyKind, Lookup, Subject
from revenueflow.enrichment.plan import Known, Wanted, choices_of, holds, next_round, why_not
from revenueflow.enrichment.rules import Condition, SignalRule

NOW = datetime(2026, 11, 21, tzinfo=UTC)
COMPANY = Lookup("company", KeyKind.DOMAIN, frozenset({Signal.INDUSTRY, Signal.HEADCOUNT}))
PERSON = Lookup("person", KeyKind.EMAIL, frozenset({Signal.TITLE}))
OFFERS = {"first": (COMPANY, PERSON), "second": (COMPANY,), "third": (COMPANY,)}
LEAD = Lead(id=UUID(int=1), form=LeadForm(title="CTO"), country="DE", source="Webinar", received_at=NOW)
SUBJECT = Subject(lead_id=LEAD.id, domain="acme.example", email="ada@acme.example")


def said(provider: str, signal: Signal, value: Any = "x") -> Evidence:
    return Evidence(
        id=UUID(int=2), provider=provider, signal=signal, path="$", value=value, fetched_at=NOW, trust=Trust.VENDOR
    )


def known(*evidence: Evidence, subject: Subject = SUBJECT, pending: frozenset[tuple[str, str]] = frozenset()) -> Known:
    return Known(LEAD, subject, evidence, pending)


def rule(*providers: str, **more: Any) -> SignalRule:
    return SignalRule(providers=providers, **more)


def questions(rules: dict[Signal, SignalRule], state: Known, *before: tuple[str, str]) -> list[Wanted]:
    return next_round(rules, state, choices_of(rules, state.subject, OFFERS), before)


def asked(rules: dict[Signal, SignalRule], state: Known, *before: tuple[str, str]) -> list[tuple[str, str]]:
    return [(one.provider, one.lookup.name) for one in questions(rules, state, *before)]


def test_the_first_of_the_order_is_asked_and_the_next_one_only_if_it_has_nothing() -> None:
    rules = {Signal.INDUSTRY: rule("second", "first", "third")}
    assert asked(rules, known()) == [("second", "company")]
    assert asked(rules, known(), ("second", "company")) == [("first", "company")]
    assert asked(rules, known(said("second", Signal.INDUSTRY)), ("second", "company")) == []


def test_what_answers_several_signals_is_asked_once_for_all_of_them() -> None:
    rules = {Signal.INDUSTRY: rule("first"), Signal.HEADCOUNT: rule("first"), Signal.TITLE: rule("first")}
    company, person = questions(rules, known())
    assert (company.signals, company.key) == ({Signal.INDUSTRY, Signal.HEADCOUNT}, "acme.example")
    assert (person.signals, person.key) == ({Signal.TITLE}, "ada@acme.example")


def test_what_is_asked_anyway_may_bring_what_is_lacking() -> None:
    rules = {Signal.INDUSTRY: rule("second"), Signal.HEADCOUNT: rule("first", "second")}
    assert asked(rules, known()) == [("second", "company")]
    told = known(said("second", Signal.INDUSTRY))
    assert asked(rules, told, ("second", "company")) == [("first", "company")]


def test_several_answers_are_asked_for_at_once() -> None:
    rules = {Signal.INDUSTRY: rule("first", "second", "third", answers=2)}
    assert asked(rules, known()) == [("first", "company"), ("second", "company")]
    told = known(said("first", Signal.INDUSTRY))
    assert asked(rules, told, ("first", "company"), ("second", "company")) == [("third", "company")]


def test_who_is_still_looking_is_waited_for() -> None:
    rules = {Signal.INDUSTRY: rule("first", "second")}
    before = ("first", "company")
    assert asked(rules, known(pending=frozenset({before})), before) == []
    assert asked(rules, known(), before) == [("second", "company")]


def test_what_the_form_says_is_no_answer() -> None:
    assert asked({Signal.INDUSTRY: rule("first")}, known(said("form", Signal.INDUSTRY))) == [("first", "company")]


def test_a_lookup_without_its_key_is_not_made() -> None:
    rules = {Signal.INDUSTRY: rule("first"), Signal.TITLE: rule("first", "second", "away")}
    nobody = Subject(lead_id=LEAD.id)
    assert asked(rules, known(subject=nobody)) == []
    reasons = [why_not(Signal.TITLE, name, nobody, OFFERS) for name in ("first", "second", "away")]
    assert reasons == ["no_email", "not_offered", "not_configured"]


@pytest.mark.parametrize(
    ("condition", "holding"),
    [
        (Condition(), True),
        (Condition(missing=("title",)), False),
        (Condition(missing=("phone",)), True),
        (Condition(given=("title",)), True),
        (Condition(given=("phone",)), False),
        (Condition(country=("at", "de")), True),
        (Condition(country=("US",)), False),
        (Condition(source=("webinar",)), True),
        (Condition(headcount_from=50), True),
        (Condition(headcount_from=300), False),
        (Condition(headcount_to=100), False),
        (Condition(headcount_from=50, headcount_to=300, country=("DE",), source=("list",)), False),
    ],
)
def test_conditions(condition: Condition, holding: bool) -> None:
    assert holds(condition, known(said("first", Signal.HEADCOUNT, 240))) is holding


def test_a_condition_on_the_headcount_waits_for_it() -> None:
    rules = {
        Signal.HEADCOUNT: rule("first"),
        Signal.TITLE: rule("first", only_if=Condition(headcount_from=50)),
    }
    assert asked(rules, known()) == [("first", "company")]
    assert asked(rules, known(said("first", Signal.HEADCOUNT, 240)), ("first", "company")) == [("first", "person")]
