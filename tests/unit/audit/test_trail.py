"""A leaf is SHA-256(0x00 || RFC 8785 JSON): held against a canonicaliser that knows nothing of our code."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as some

from revenueflow.audit.trail import Subject, leaf_hash, row
from revenueflow.domain.outcome import AuditEntry

SHORT = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}


def canonical(value: Any) -> str:
    """RFC 8785 for objects, arrays, strings, integers within 2**53, booleans and null."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return '"' + "".join(SHORT.get(ord(c)) or (c if ord(c) >= 32 else f"\\u{ord(c):04x}") for c in value) + '"'
        case list():
            return "[" + ",".join(map(canonical, value)) + "]"
        case dict():
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return "{" + ",".join(f"{canonical(name)}:{canonical(value[name])}" for name in names) + "}"
        case _:
            raise TypeError(type(value))


def leaf(event: dict[str, Any]) -> bytes:
    return sha256(b"\x00" + canonical(event).encode()).digest()


names = some.text(some.characters(min_codepoint=32, max_codepoint=126), max_size=8)
values = some.recursive(
    some.none()
    | some.booleans()
    | some.integers(-(2**53), 2**53)
    | some.text(some.characters(exclude_categories=["Cs"])),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(names, inner, max_size=4),
)


@given(some.dictionaries(names, values, max_size=6))
def test_the_leaf_is_the_hash_of_canonical_json(event: dict[str, Any]) -> None:
    assert leaf_hash(event) == leaf(event)


def test_every_control_character_is_written_as_the_standard_says() -> None:
    event = {"a": "".join(map(chr, range(256))) + "€\u2028𝄞"}
    assert leaf_hash(event) == leaf(event)


def test_a_row_holds_all_columns_and_its_hash() -> None:
    lead, job, key = uuid4(), uuid4(), uuid4()
    made = row(Subject(lead, job, "t" * 32), AuditEntry("lead.captured", "done", {"n": 1, "why": None}, "worker", key))
    hashed = made.pop("leaf_hash")
    assert bytes.fromhex(hashed) == leaf(made)
    assert (made["lead_id"], made["job_id"], made["action_key"]) == (str(lead), str(job), str(key))
    assert (made["actor"], made["action"], made["outcome"], made["detail"]) == (
        "worker", "lead.captured", "done", {"n": 1, "why": None},
    )  # fmt: skip
    assert UUID(made["id"]).version == 7
    assert made["ts"].endswith("Z")
    assert len(made["ts"]) == len("2026-11-21T00:00:00.000000Z")


@pytest.mark.parametrize("subject", [Subject(), Subject(trace_id="x")])
def test_a_row_about_nothing_has_nulls(subject: Subject) -> None:
    made = row(subject, AuditEntry("system.paused", "done"))
    assert (made["lead_id"], made["job_id"], made["action_key"], made["trace_id"]) == (
        None,
        None,
        None,
        subject.trace_id,
    )
