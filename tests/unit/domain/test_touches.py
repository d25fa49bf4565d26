"""What a CRM shows of a lead, and whether that is a touch of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from revenueflow.domain.touches import NOT_WORKED, Sign, sign_of, status_of

CAME = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)


def sign(record: dict[str, Any], earlier: str | None = None) -> Sign | None:
    return sign_of(record, CAME, NOW, earlier)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}+00:00")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"touched_at": "2026-11-18T10:00:00Z"}, Sign(at("18T10:00"), "touched_at", seen=False)),
        ({"touched_at": "2026-11-18T11:00:00+01:00"}, Sign(at("18T10:00"), "touched_at", seen=False)),
        ({"touched_at": "2026-11-18T10:00:00"}, Sign(at("18T10:00"), "touched_at", seen=False)),
        # The first was years ago, with another matter; the last is about this lead.
        (
            {"touched_at": "2024-01-01T10:00:00Z", "contacted_at": "2026-11-18T11:30:00Z"},
            Sign(at("18T11:30"), "contacted_at", seen=False),
        ),
        (
            {"touched_at": "2026-11-18T10:10:00Z", "contacted_at": "2026-11-18T11:30:00Z", "status": "qualified"},
            Sign(at("18T10:10"), "touched_at", seen=False),
        ),
        ({"touched_at": "2026-11-18T08:59:30Z"}, Sign(at("18T08:59:30"), "touched_at", seen=False)),  # clocks differ
        ({"activity_on": "2026-11-18"}, Sign(NOW, "activity_on", seen=True)),
        ({"activity_on": "2026-11-17"}, Sign(NOW, "activity_on", seen=True)),  # still the 17th in Honolulu
        (
            {"activity_on": "2026-11-20"},
            Sign(NOW, "activity_on", seen=True),
        ),  # a task that was closed before it was due
        ({"status": "working"}, Sign(NOW, "status_working", seen=True)),
        ({"status": "unqualified"}, Sign(NOW, "status_unqualified", seen=True)),
        ({"status": "new", "converted": True}, Sign(NOW, "status_converted", seen=True)),
    ],
)
def test_signs_of_a_touch(record: dict[str, Any], expected: Sign) -> None:
    assert sign(record) == expected


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"touched_at": None, "status": None, "activity_on": None, "converted": False},
        {"touched_at": "2026-11-18T08:50:00Z"},  # before the lead came
        {"contacted_at": "2026-11-19T10:00:00Z"},  # a meeting that is to come
        {"touched_at": "soon"},
        {"touched_at": 1763460000},
        {"activity_on": "2026-11-16"},
        {"activity_on": "lately"},
        {"status": "new"},
        {"status": "Open - Not Contacted"},
        {"owner_id": "dana-whitfield", "score": 90},
    ],
)
def test_no_signs_of_a_touch(record: dict[str, Any]) -> None:
    assert sign(record) is None


OLDER = {"created_at": "2025-03-01T09:00:00Z"}


def test_of_a_record_that_is_older_only_what_has_changed_counts() -> None:
    assert sign({**OLDER, "status": "qualified"}) is None, "it may have been so for a year"
    assert sign({**OLDER, "status": "qualified"}, "qualified") is None
    assert sign({**OLDER, "status": "qualified"}, "working") == Sign(NOW, "status_qualified", seen=True)
    assert sign({**OLDER, "status": "working"}, NOT_WORKED) == Sign(NOW, "status_working", seen=True)
    assert sign({**OLDER, "activity_on": "2026-11-18"}) is None, "it may have been before the lead came, that day"
    assert sign({**OLDER, "activity_on": "2026-11-19"}) == Sign(NOW, "activity_on", seen=True)
    assert sign({**OLDER, "contacted_at": "2026-11-18T10:00:00Z"}) is not None


def test_a_record_that_came_with_the_lead_is_not_older() -> None:
    assert sign({"created_at": "2026-11-18T08:59:40Z", "status": "working"}) is not None


@pytest.mark.parametrize(
    ("record", "status"),
    [
        ({"status": "nurturing"}, "nurturing"),
        ({"status": "working", "converted": True}, "converted"),
        ({"status": "somebody's own word"}, NOT_WORKED),
        ({"status": 7}, NOT_WORKED),
        ({}, NOT_WORKED),
    ],
)
def test_where_a_record_stands(record: dict[str, Any], status: str) -> None:
    assert status_of(record) == status
