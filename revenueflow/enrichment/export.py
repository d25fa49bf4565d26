"""Enriched leads as files: JSON Lines with all evidence, CSV with one value for each signal."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import orjson

from revenueflow.domain.evidence import Signal
from revenueflow.domain.text import neutral_cell

JSON_NAME = "enriched.jsonl"
CSV_NAME = "enriched.csv"
SIGNALS = tuple(signal.value for signal in Signal if signal is not Signal.MESSAGE)
COLUMNS = ("lead_id", "campaign_id", "status", *SIGNALS, "completeness", "cost_usd", "signals_missed")


def done_before(folder: Path) -> set[UUID]:
    """The leads that an earlier, perhaps interrupted, run has written completely."""
    path = folder / JSON_NAME
    return {UUID(row["lead_id"]) for row in _rows(path)} if path.is_file() else set()


def append(folder: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Adds leads to the JSON Lines file. A line that was cut off by an earlier end is dropped first."""
    path = folder / JSON_NAME
    folder.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        _cut_torn_line(path)
    with path.open("ab") as file:
        for row in rows:
            file.write(orjson.dumps(row, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS) + b"\n")


def write_csv(folder: Path) -> None:
    """The CSV, made anew from the JSON Lines file."""
    with (folder / CSV_NAME).open("w", encoding="utf-8", newline="") as file:
        _write(file, _rows(folder / JSON_NAME))


def _write(file: IO[str], rows: Iterable[Mapping[str, Any]]) -> None:
    writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: neutral_cell(value) for name, value in flat(row).items()})


def flat(row: Mapping[str, Any]) -> dict[str, str]:
    """One value for each signal, the first that a provider gave, else what the form says; lists joined by `; `."""
    told: dict[str, Any] = {}
    for one in sorted(row["evidence"], key=lambda item: item["trust"] == "self_reported"):
        told.setdefault(one["signal"], one["value"])
    whole = {**row, **told, "signals_missed": row["signals_missed"]}
    return {name: _cell(whole.get(name)) for name in COLUMNS}


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return "" if value is None else str(value)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield orjson.loads(line)


def _cut_torn_line(path: Path) -> None:
    with path.open("r+b") as file:
        whole = file.read().rpartition(b"\n")
        file.truncate(len(whole[0]) + len(whole[1]))
