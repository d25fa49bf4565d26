"""What an earlier answer is worth now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from revenueflow.db.lookups import Kept, Place
from revenueflow.enrichment.base import Findings, Status
from revenueflow.enrichment.freshness import Due, Failed, Known, Lasting, Wait, judge

NOW = datetime(2026, 11, 21, tzinfo=UTC)
RUN = UUID(int=7)
FOUND = Findings(status=Status.FOUND).model_dump_json()
NOBODY = Findings(status=Status.NOT_FOUND).model_dump_json()


def kept(state: str = "idle", findings: str | None = None, hours_old: float = 0, **more: Any) -> Kept:
    row: dict[str, Any] = {
        "place": Place("p", "company", b"k"), "state": state, "findings": findings,
        "answered_at": NOW - timedelta(hours=hours_old) if findings else None, "ask_again_at": None, "handle": None,
        "cost": Decimal("0.1"), "paid_by": RUN, "reason": None,
        "token": 1, "lease_until": None, "reserved": Decimal(0), "reserved_in": (),
    }  # fmt: skip
    return Kept(**(row | more))


def verdict(row: Kept | None) -> Known | Wait | Failed | Due:
    return judge(row, NOW, Lasting(timedelta(days=2), timedelta(days=1), timedelta(days=30)))


@pytest.mark.parametrize(
    ("findings", "hours", "kind"), [(FOUND, 47, Known), (FOUND, 49, Due), (NOBODY, 23, Known), (NOBODY, 25, Due)]
)
def test_an_answer_is_good_for_its_time(findings: str, hours: float, kind: type) -> None:
    told = verdict(kept(findings=findings, hours_old=hours))
    assert isinstance(told, kind)
    if isinstance(told, Due):
        assert told.stale is not None, "what is too old may still be better than nothing"


def test_what_was_never_asked_is_due() -> None:
    assert verdict(None) == verdict(kept()) == Due()


def test_what_is_under_way_is_waited_for_until_its_lease_is_over() -> None:
    soon, past = NOW + timedelta(seconds=7), NOW - timedelta(seconds=1)
    assert verdict(kept("asking", lease_until=soon)) == Wait(7, busy=True)
    assert verdict(kept("asking", lease_until=past)) == Due(abandoned=True)


def test_what_is_pending_is_asked_again_at_its_time() -> None:
    soon, past = NOW + timedelta(seconds=7), NOW - timedelta(seconds=1)
    assert verdict(kept("pending", ask_again_at=soon)) == Wait(7, busy=False)
    assert verdict(kept("pending", ask_again_at=past)) == Due()


def test_a_fresh_answer_is_used_while_somebody_asks_anew() -> None:
    assert isinstance(verdict(kept("asking", FOUND, 1, lease_until=NOW + timedelta(seconds=9))), Known)


def test_what_failed_a_moment_ago_is_left_alone_and_its_cost_is_the_failures() -> None:
    soon = NOW + timedelta(seconds=7)
    told = verdict(kept(findings=FOUND, hours_old=99, reason="server_error", ask_again_at=soon))
    assert isinstance(told, Failed)
    assert (told.reason, told.cost, told.paid_by) == ("server_error", 0.1, RUN)
    assert told.stale is not None
    assert told.stale.cost == 0
    assert isinstance(verdict(kept(reason="server_error", ask_again_at=NOW)), Due)


def test_an_answer_names_what_it_cost_and_whom() -> None:
    told = verdict(kept(findings=FOUND, hours_old=1))
    assert isinstance(told, Known)
    assert (told.cost, told.paid_by) == (0.1, RUN)


def test_what_is_older_than_it_may_be_is_not_better_than_nothing() -> None:
    assert verdict(kept(findings=FOUND, hours_old=31 * 24)) == Due()
