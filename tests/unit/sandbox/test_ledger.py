from __future__ import annotations

from pathlib import Path

import pytest

from revenueflow.sandbox.ledger import FILE, Ledger


def test_writes_merge_and_all_are_kept() -> None:
    ledger = Ledger()
    created, first = ledger.put("lead", "k", {"a": 1, "b": 1}, lag=0)
    _, second = ledger.put("lead", "k", {"b": 2}, lag=0)
    (record,) = ledger.shown()
    assert (first, second) == (201, 200)
    assert record["fields"] == {"a": 1, "b": 2} and record["id"] == created.id
    assert [(write["fields"], write["status"]) for write in record["writes"]] == [
        ({"a": 1, "b": 1}, 201),
        ({"b": 2}, 200),
    ]


def test_a_lagging_write_is_in_the_ledger_but_not_in_a_read() -> None:
    ledger = Ledger()
    ledger.put("lead", "k", {"a": 1}, lag=0)
    ledger.put("lead", "k", {"a": 2}, lag=3600)
    ledger.put("lead", "new", {"a": 1}, lag=3600)
    found = ledger.get("lead", "k")
    assert found is not None and found[1] == {"a": 1}
    assert ledger.get("lead", "new") is None
    assert [record["fields"] for record in ledger.shown()] == [{"a": 2}, {"a": 1}]


def test_it_is_there_again_after_a_kill(tmp_path: Path) -> None:
    killed = Ledger(tmp_path)
    killed.put("lead", "k", {"a": 1}, lag=0)
    killed.put("lead", "k", {"b": 2}, lag=3600)
    again = Ledger(tmp_path)
    assert again.shown() == killed.shown()
    assert again.put("lead", "k", {}, lag=0)[1] == 200


@pytest.mark.parametrize("torn", range(1, 40))
def test_a_torn_last_line_is_cut_off(tmp_path: Path, torn: int) -> None:
    ledger = Ledger(tmp_path)
    ledger.put("lead", "k", {"a": 1}, lag=0)
    ledger.put("lead", "k", {"b": 2}, lag=0)
    ledger.close()
    file = tmp_path / FILE
    file.write_bytes(file.read_bytes()[:-torn])
    again = Ledger(tmp_path)
    again.put("lead", "k", {"c": 3}, lag=0)
    assert Ledger(tmp_path).shown()[0]["fields"] == {"a": 1, "c": 3}


def test_clear_clears_the_file_too(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.put("lead", "k", {"a": 1}, lag=0)
    ledger.clear()
    ledger.put("lead", "other", {"a": 1}, lag=0)
    assert [record["record_key"] for record in Ledger(tmp_path).shown()] == ["other"]
