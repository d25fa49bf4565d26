"""`revenueflow approvals`: the queue from the command line."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from revenueflow.devserver.cluster import DatabaseUrls
from tests.integration.api.test_approvals import ASK
from tests.support import sql
from tests.support.cli import Ran, run


def test_the_queue_is_listed_shown_and_decided(database: DatabaseUrls, tmp_path: Path) -> None:
    def approvals(*arguments: str) -> Ran:
        return run(tmp_path, "approvals", *arguments, DATABASE_URL=database.app_url, USER="boss")

    first, second = (str(sql.value(database.app_url, ASK, uuid4(), "admin", uuid4(), None, 60.0)) for _ in range(2))
    assert [line["id"] for line in approvals("list", "--json").lines] == [second, first]
    (shown,) = approvals("show", first, "--json").lines
    assert (shown["state"], shown["args"]) == ("pending", {"owner_id": "dana"})
    assert '"owner_id": "dana"' in approvals("show", first).out
    approved = approvals("approve", first)
    assert (approved.code, approved.out) == (0, "")
    assert "dana" not in approved.err
    again = approvals("deny", first)
    assert (again.code, again.err.strip()) == (1, "it is approved already")
    assert approvals("deny", second).code == 0
    assert approvals("list", "--json").lines == []
    assert [line["decided_by"] for line in approvals("list", "--state", "all", "--json").lines] == ["cli:boss"] * 2
    assert approvals("show", str(uuid4())).code == 1
    assert approvals("list", "--state", "lost").code == 2
    told = sql.rows(database.superuser_url, "SELECT action, actor FROM audit_events ORDER BY ts")
    assert [(row["action"], row["actor"]) for row in told] == [
        ("approval.approved", "cli:boss"), ("approval.denied", "cli:boss"),
    ]  # fmt: skip
