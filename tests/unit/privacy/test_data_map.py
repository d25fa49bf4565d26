"""Every table and column has its place in the data map, and what people read of it is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from revenueflow.db.models import metadata
from revenueflow.privacy.data_map import MAP, Held

DOCUMENT = (Path(__file__).parents[3] / "docs" / "privacy.md").read_text(encoding="utf-8")


def test_every_table_is_in_it() -> None:
    assert set(MAP) == set(metadata.tables)


@pytest.mark.parametrize("table", sorted(MAP))
def test_every_column_is_personal_or_is_not(table: str) -> None:
    held = MAP[table]
    other, columns = held.other.split(), {column.name for column in metadata.tables[table].columns}
    assert len(set(other)) == len(other)
    assert set(other).isdisjoint(held.personal)
    assert {*other, *held.personal} == columns


@pytest.mark.parametrize(("table", "held"), [one for one in MAP.items() if one[1].personal])
def test_what_is_personal_can_be_found_and_is_in_the_document(table: str, held: Held) -> None:
    assert bool(held.rows) != bool(held.found_by)
    (line,) = [line for line in DOCUMENT.splitlines() if line.startswith(f"| `{table}` |")]
    assert {f"`{column}`" for column in held.personal} <= set(line.replace(",", " ").split())


def test_what_is_not_null_is_not_made_null() -> None:
    for table, held in MAP.items():
        for column, value in held.personal.items():
            if value == "NULL" and not held.removed:
                assert metadata.tables[table].columns[column].nullable, f"{table}.{column}"


def test_columns_named_like_a_person_are_personal() -> None:
    """A new column that says what it holds can't be put among the others by mistake."""
    telling = {"email", "phone", "name", "message", "raw", "parsed", "form", "args", "statement", "value", "output",
               "findings", "answer", "summary", "fields"}  # fmt: skip
    excused = {("api_keys", "name"), ("campaigns", "name"), ("controls", "name"), ("controls", "value"),
               ("offers", "name"),
               ("routines", "name"), ("steps", "name")}  # fmt: skip
    for table in metadata.tables.values():
        for column in table.columns:
            if column.name in telling and (table.name, column.name) not in excused:
                assert column.name in MAP[table.name].personal, f"{table.name}.{column.name}"
