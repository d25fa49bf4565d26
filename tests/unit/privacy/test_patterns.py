"""Structured kinds: found by form and check digits, wherever they stand, and nothing that only looks like one."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as some

from revenueflow.audit.trail import Subject, row
from revenueflow.cli.pii import LabelledText, measured
from revenueflow.domain.outcome import AuditEntry
from revenueflow.privacy.patterns import Kind
from revenueflow.privacy.redaction import LABEL, LINE, redact, redact_all, spans
from revenueflow.telemetry import logs
from tests.support import personal_data
from tests.support.personal_data import FILE, NOTHING, VALUES

KINDS = {
    "email": Kind.EMAIL, "phone": Kind.PHONE, "card": Kind.CARD, "iban": Kind.IBAN, "national_id": Kind.NATIONAL_ID,
    "ip": Kind.IP, "secret": Kind.SECRET,
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in KINDS for value in VALUES[name]])
def test_each_value_is_masked_as_what_it_is(name: str, value: str) -> None:
    assert redact(f"It is {value} now") == f"It is [{KINDS[name]}] now"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://user:s3cr3t@db.example/x", "postgresql://[CREDENTIALS]@db.example/x"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "[SECRET]"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE, cut off", "[SECRET]"),
        ("Authorization: Bearer abc123def456ghi", "Authorization: Bearer [SECRET]"),
        ("?api_key=Zx81yQ7pp&page=2", "?api_key=[SECRET]&page=2"),
        ("passport no. C01X00T47 of 2019", "passport no. [NATIONAL_ID] of 2019"),
        ("GB29 NWBK 6016 1331 9268 19 AND THEN", "[IBAN] AND THEN"),
        ("call +1 512 555 0143 020 7946 0018", "call [PHONE] [PHONE]"),
        ("::1 and 127.0.0.1 and 0.0.0.0", "::1 and 127.0.0.1 and 0.0.0.0"),
        ("12:34:56 and 999.1.1.1", "12:34:56 and 999.1.1.1"),
    ],
)
def test_forms(text: str, shown: str) -> None:
    assert redact(text, kinds=LINE) == shown


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.IBAN, "GB28 NWBK 6016 1331 9268 19"),
        (Kind.CARD, "4111 1111 1111 1112"),
        (Kind.CARD, "0000 0000 0000 0000"),
        (Kind.NATIONAL_ID, "000-12-3456 and 666-12-3456"),
        (Kind.NATIONAL_ID, "12345678A, 111.444.777-36, RSSMRA85T10A562X, 811228-9875"),
    ],
)
def test_wrong_check_digits(kind: Kind, text: str) -> None:
    assert redact(text, kinds=frozenset({kind})) == text


@pytest.mark.parametrize("text", [text for text in NOTHING if "10.4.2.1" not in text])
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert redact(text) == text


def test_identifiers_of_ours_stay() -> None:
    for one in ("01234567-1234-7123-8123-012345678901", "0" * 64, "2026-11-21T17:32:54.863651Z", "0.001234"):
        assert redact(one) == one
        assert redact(f"job {one} ended") == f"job {one} ended"


PIECES = [*VALUES["iban"], *VALUES["secret"], *VALUES["card"], *VALUES["email"], *VALUES["phone"]]
parts = some.lists(some.sampled_from([*PIECES, " ", "\n", "@", ".", "-", "(", "+", "0", "12", "a", "Dear "]))


@given(parts.map("".join) | some.text())
def test_spans_are_apart_and_in_order(text: str) -> None:
    found = spans(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


@given(some.text(), some.sampled_from([*VALUES["email"][:5], *VALUES["secret"], *VALUES["iban"]]), some.text())
def test_nothing_around_it_hides_it(before: str, value: str, after: str) -> None:
    if not {"-----", "://"} & {before, after}:
        assert value not in redact(f"{before} {value} {after}")


@given(some.lists(some.sampled_from(PIECES)).map(", ".join))
def test_a_second_time_changes_nothing(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
    assert not any(char.isdigit() for char in once)


@pytest.mark.parametrize(
    "unit", ["a", "a@", "a.", "1 ", "(", "+1", "eyJaaaaaaaa.", "password: ", "passport ", "-----BEGIN PRIVATE KEY-----",
             "://a:", "A1", "1.1.1.", "::", "12-", "(at)", "Dear A ", "CEO A ", "regards ", "regards   \n", " ",
             "Mr A van ", "GB29", "bearer ", "chief a ", "12:34 56", "linkedin.com/in/", "é", "国"],
)  # fmt: skip
@pytest.mark.parametrize("end", ["", "@x"])
def test_a_long_text_ends(unit: str, end: str) -> None:
    """Each is what makes a careless expression try again and again: it would not end."""
    text = unit * (50_000 // len(unit)) + end
    assert len(redact(text)) <= 2 * len(text) + 10


def test_values_at_any_depth() -> None:
    given_: dict[str, Any] = {"a": ["x@y.example", {"b": ("4111 1111 1111 1111", 7)}], "to z@y.example": None}
    assert redact_all(given_) == {"a": ["[EMAIL]", {"b": ["[CARD]", 7]}], "to [EMAIL]": None}
    assert redact("10000-50000 a@x.example +49 30 5550 1234", kinds=LABEL) == "10000-50000 [EMAIL] +49 30 5550 1234"


def test_the_audit_trail_takes_none_of_it() -> None:
    detail = {"reason": "dana@x.example called +1 512 555 0143", "job": "0" * 64, "count": 3}
    told = row(Subject(), AuditEntry("test.happened", "done", detail))["detail"]
    assert told == {"reason": "[EMAIL] called [PHONE]", "job": "0" * 64, "count": 3}


def test_log_lines_hold_none_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logs.get("test").info("happened", text="key AKIAIOSFODNN7EXAMPLE", inside={"a": ["+49 30 5550 1234"]}, rows=3)
    structlog.reset_defaults()
    line = json.loads(capsys.readouterr().out)
    assert (line["text"], line["inside"], line["rows"]) == ("key [SECRET]", {"a": ["[PHONE]"]}, 3)
    assert line["timestamp"].startswith("20")


def test_our_own_labelled_set() -> None:
    rows = list(personal_data.rows())
    lines = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    assert lines == rows, "run `python -m tests.support.personal_data`"
    texts = [LabelledText.model_validate(one) for one in rows]
    told = measured(texts, [spans(text.full_text) for text in texts])
    assert told["structured"]["recall"] >= 0.98
    assert told["structured"]["precision"] >= 0.98
    assert told["by_type"]["STREET_ADDRESS"] == {"n": 18, "recall": 0.0, "precision": None}, "and that is said"
    assert told["by_type"]["PERSON"]["recall"] < 1
    assert told["leaked_per_1000"] > told["structured"]["leaked_per_1000"]


def test_a_label_counts_if_nearly_all_of_it_is_masked() -> None:
    text = "Write to dana@larkvale.example"
    label = {"entity_type": "EMAIL_ADDRESS", "start_position": 9, "end_position": len(text)}
    for start, recall in ((9, 1.0), (0, 0.0)):
        rows = [LabelledText.model_validate({"full_text": text, "spans": [label | {"start_position": start}]})]
        told = measured(rows, [spans(text)])
        assert told["by_type"]["EMAIL_ADDRESS"] == {"n": 1, "recall": recall, "precision": 1.0}
