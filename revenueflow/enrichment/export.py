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
FACTS = {
    "company": Signal.COMPANY_NAME, "domain": Signal.COMPANY_DOMAIN, "title": Signal.TITLE, "industry": Signal.INDUSTRY,
    "headcount": Signal.HEADCOUNT, "country": Signal.COUNTRY, "source": Signal.SOURCE,
}  # fmt: skip
"""What score and routing look at, and the signal that it stands for."""
COLUMNS = (
    "lead_id", "campaign_id", "status", "email", "score", "tier", "owner", *SIGNALS, "completeness", "cost_usd",
    "signals_missed", "sources",
)  # fmt: skip


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
    path.touch(mode=0o600)  # personal data: for its owner only
    with path.open("ab") as file:
        for row in rows:
            file.write(orjson.dumps(row, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS) + b"\n")


def write_csv(folder: Path) -> None:
    """The CSV, made anew from the JSON Lines file."""
    (folder / CSV_NAME).touch(mode=0o600)
    with (folder / CSV_NAME).open("w", encoding="utf-8", newline="") as file:
        _write(file, _rows(folder / JSON_NAME))


def _write(file: IO[str], rows: Iterable[Mapping[str, Any]]) -> None:
    writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: neutral_cell(value) for name, value in flat(row).items()})


def flat(row: Mapping[str, Any]) -> dict[str, str]:
    """One value for each signal, and in `sources` where each is from: `industry=clearbit.company 2026-11-21; …`.

    What score and routing used is what stands here; of other signals the first value that a provider gave.
    """
    told: dict[str, Any] = {}
    sources: dict[str, str] = {}
    of_facts = {signal.value for signal in FACTS.values()}
    for one in sorted(row["evidence"], key=lambda item: item["trust"] == "self_reported"):
        if one["signal"] not in told and one["signal"] not in of_facts:
            told[one["signal"]], sources[one["signal"]] = one["value"], _source(one)
    numbered = {f"E{number}": one for number, one in enumerate(row["evidence"], 1)}
    for name, signal in FACTS.items():
        if fact := row["facts"].get(name):
            first = next((numbered[ref] for ref in fact["evidence"] if ref in numbered), None)
            told[signal.value], sources[signal.value] = fact["value"], _source(first) if first else "form"
    joined = "; ".join(f"{name}={source}" for name, source in sources.items())
    return {name: _cell({**row, **told, "sources": joined}.get(name)) for name in COLUMNS}


def _source(one: Mapping[str, Any]) -> str:
    asked = ".".join(filter(None, (one["provider"], one["lookup"])))
    return f"{asked} {str(one['fetched_at'])[:10]}"


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
