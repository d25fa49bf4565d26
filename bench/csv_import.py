"""A CSV of 100,000 leads through the API, against reading the file and against storing its rows the plain way.

    python -m bench.csv_import --rows 100000 --bytes 540

`ours` is the upload until its 202: every row is durable then. `again` is the second upload of the same file, in which
every row is a duplicate. `parse` is csv.reader alone; `plain` is the file read as a whole, and executemany() in commits
of 500 of its rows as JSON into a table with a primary key: no leads, no jobs, no rejects. `ratio` is ours by plain.
Seconds; `growth_mib` is the API process's resident memory at its peak, less that before the upload.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import psutil

from bench.stack import Stack, print_json, say, stack
from revenueflow.devserver import secrets
from revenueflow.devserver.services import pids

CHUNK = 500
LIMIT = 512 * 2**20
LOOK_SECONDS = 0.02
HEADER = ["Email", "First Name", "Last Name", "Company", "Job Title", "Country", "Phone", "Comments"]
MIB = 2**20


def main() -> None:
    """Measures and prints."""
    args = _arguments()
    with tempfile.NamedTemporaryFile(suffix=".csv", dir="/var/tmp") as file, stack() as one:
        path = Path(file.name)
        _write(path, args.rows, args.bytes)
        one.serve("api", REVENUEFLOW_IMPORT_LIMIT=str(LIMIT))
        _upload(one, b"email\nwarm@up.example\n")
        parse = _parse(path)
        plain = asyncio.run(_plain(one.backends.urls["MIGRATION_DATABASE_URL"], path))
        say(f"plain: {plain:.1f} s")
        ours = _measured(one, path, args.rows)
        say(f"ours: {ours['seconds']:.1f} s, {ours['growth_mib']} MiB more memory")
        again = _measured(one, path, args.rows)
        figures = {"rows": args.rows, "file_mib": round(path.stat().st_size / MIB, 1), "ours": ours, "again": again}
        floors = {"parse_seconds": round(parse, 2), "plain_seconds": round(plain, 2)}
        print_json(figures | floors | {"ratio": round(ours["seconds"] / plain, 2)})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--bytes", type=int, default=540, help="length of a row")
    return parser.parse_args()


def _write(path: Path, rows: int, length: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for n in range(rows):
            row = [f"p{n}@company-{n % 5000}.example", "Dana", f"Reyes {n}", f"Company {n % 5000}, Inc", "CTO", "US"]
            row.append(f"+1 404 555 {n % 10000:04}")
            note = f'Needs "pricing" for {n} seats, this quarter. ' * (length // 40)
            writer.writerow([*row, note[: max(0, length - len(",".join(row)))]])


def _parse(path: Path) -> float:
    began = time.perf_counter()
    with path.open(newline="") as file:
        for _ in csv.reader(file):
            pass
    return time.perf_counter() - began


async def _plain(url: str, path: Path) -> float:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE plain_rows (line bigint PRIMARY KEY, email text, raw jsonb)")
    began = time.perf_counter()
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for at in range(0, len(rows), CHUNK):
        some = [(at + n, row["Email"], json.dumps(row)) for n, row in enumerate(rows[at : at + CHUNK])]
        async with connection.transaction():
            await connection.executemany("INSERT INTO plain_rows VALUES ($1, $2, $3)", some)
    took = time.perf_counter() - began
    await connection.execute("DROP TABLE plain_rows")
    await connection.close()
    return took


def _measured(one: Stack, path: Path, rows: int) -> dict[str, Any]:
    peak: list[int] = []
    api = psutil.Process(pids(one.services)["api"])
    with _watched(api, peak), path.open("rb") as file:
        began = time.perf_counter()
        told = _upload(one, file)
        took = time.perf_counter() - began
    assert told["rows"] == rows == told["accepted"] + told["duplicates"]
    figures = {"seconds": round(took, 2), "rows_per_second": round(rows / took)}
    return figures | {"growth_mib": round((max(peak) - peak[0]) / MIB, 1), "answer": told}


def _upload(one: Stack, data: Any) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {secrets.ensure(one.folder).keys['ingest']}"}
    files = {"file": ("leads.csv", data, "text/csv")}
    with httpx2.Client(timeout=600, trust_env=False) as client:
        answer = client.post(f"{one.api}/v1/imports", files=files, headers=headers)
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    return told


@contextmanager
def _watched(process: psutil.Process, found: list[int]) -> Iterator[None]:
    ended = threading.Event()

    def look() -> None:
        found.append(process.memory_info().rss)
        while not ended.wait(LOOK_SECONDS):
            found.append(process.memory_info().rss)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    yield
    ended.set()
    watcher.join()


if __name__ == "__main__":
    main()
