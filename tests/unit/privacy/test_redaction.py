"""Personal data goes, the rest of the text stays."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as some

from revenueflow.privacy.redaction import LABEL, known_values, redact


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Write to dana.reyes+x@mail.x.example, please", "Write to [EMAIL], please"),
        ("<dana@x.example>", "<[EMAIL]>"),
        ("mailto:o'neil@x.example", "mailto:[EMAIL]"),
        ("a%b&c@x.example", "[EMAIL]"),
        ("a@b.example;c@d.example", "[EMAIL];[EMAIL]"),
        ("jörg@größe.example", "[EMAIL]"),
        ("no address: dana@localhost or @handle", "no address: dana@localhost or @handle"),
        ("Call +1 (512) 555-0143 now", "Call [PHONE] now"),
        ("Tel.030/1234567", "Tel.[PHONE]"),
        ("Tel: 0049 30 23125-014", "Tel: [PHONE]"),
        ("+49 (0)30 23125014", "[PHONE]"),
        ("call me: 0171.2345678.", "call me: [PHONE]."),
    ],
)
def test_addresses_and_numbers(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "We have 12,500 people in 14 countries",
        "since 2026-11-21",
        "€ 1,200,000.00",
        "version 3.14.159",
        "40 seats in Q3 2027",
        "",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("name", "text", "redacted"),
    [
        ("Dana Reyes", "I am DANA REYES. Regards, Dana", "I am [NAME]. Regards, [NAME]"),
        ("Dana Reyes", "Reyes's team; danapoint; Danas", "[NAME]'s team; danapoint; Danas"),
        ("Al (Big) [x] Zo", "Al (Big) [x] Zo wrote", "[NAME] wrote"),
        ("Bo Li", "Bo Li asks; Bosch listens", "[NAME] asks; Bosch listens"),
        ("山田太郎", "私は山田太郎です。", "私は[NAME]です。"),
        ("山田 太郎", "山田です", "[NAME]です"),
        ("김민수", "김민수입니다", "[NAME]입니다"),
        ("Мария Иванова", "Это Мария", "Это [NAME]"),
        (unicodedata.normalize("NFD", "Zoë Größe"), "Grüße, Zoë", "Grüße, [NAME]"),
        ("Zoë Größe", unicodedata.normalize("NFD", "Grüße, Zoë"), "Grüße, [NAME]"),
    ],
)
def test_the_leads_own_name(name: str, text: str, redacted: str) -> None:
    assert redact(text, known_values(None, None, name)) == redacted


def test_the_leads_own_address_and_number_in_any_spelling() -> None:
    known = known_values("dana@intranet", "+49 171 12", None)
    assert redact("Dana@Intranet or 4917112, +49-171-12", known) == "[EMAIL] or [PHONE], [PHONE]"


def test_short_numbers_are_not_searched_for() -> None:
    assert redact("40 seats", known_values(None, "40", None)) == "40 seats"


def test_known_values_that_are_missing_or_blank() -> None:
    assert known_values(None, " ", "") == []


@given(some.text(), some.text(max_size=30))
def test_a_known_name_never_survives_as_a_word(before: str, name: str) -> None:
    name = unicodedata.normalize("NFC", name).strip()
    words = f"{before} {name} end"
    if name and name[0].isalnum() and name[-1].isalnum() and name.lower() not in "[name]":
        assert f" {name} end" not in redact(words, known_values(None, None, name))


def test_labels_keep_their_numbers() -> None:
    assert redact("10000-50000 of a@x.example", kinds=LABEL) == "10000-50000 of [EMAIL]"


@pytest.mark.parametrize(
    "text", ["a" * 20_000 + " @", "a@" * 10_000, "a." * 10_000 + "@", "1 " * 10_000, "(" * 20_000 + "@"]
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    redact(text, known_values("a@x.example", "+49 171 123456", "Dana Reyes"))
    assert time.process_time() - began < 0.25
