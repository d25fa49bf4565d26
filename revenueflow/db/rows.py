"""Rows of a table as one JSON array: one statement for any number of them, whatever their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql


def encoded(value: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    """A row, or an array of rows, as JSON. Times are RFC 3339."""
    return orjson.dumps(value, default=str).decode()


@cache
def recordset(table: Table, names: tuple[str, ...]) -> str:
    """`jsonb_to_recordset($1)` AS new(…), with the types that the table's columns have."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    columns = ", ".join(f"{name} {table.c[name].type.compile(dialect)}" for name in names)
    return f"jsonb_to_recordset($1::jsonb) AS new({columns})"


@cache
def insert(table: Table, names: tuple[str, ...]) -> str:
    """Inserts an array of rows with these columns."""
    listed = ", ".join(names)
    return f"INSERT INTO {table.name} ({listed}) SELECT {listed} FROM {recordset(table, names)}"  # noqa: S608 constants
