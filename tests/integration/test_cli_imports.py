"""`revenueflow import` as people and scripts run it: what it stores, what it says, and how it goes on."""

from __future__ import annotations

import csv
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from revenueflow.devserver.cluster import DatabaseUrls
from tests.support import sql
from tests.support.api import identity_file
from tests.support.cli import Ran, run
from tests.support.processes import until

STORED = "SELECT count(*) FROM deliveries"


def given(database: DatabaseUrls, folder: Path) -> dict[str, str]:
    return {"DATABASE_URL": database.app_url, "REVENUEFLOW_IDENTITY_KEY_FILE": str(identity_file(folder))}


def importing(database: DatabaseUrls, folder: Path, *arguments: str) -> Ran:
    return run(folder, "import", *arguments, **given(database, folder))


def test_rejects_go_to_a_file_and_the_rest_is_stored(database: DatabaseUrls, tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_bytes(
        "Email;Ort\na@x.example;Köln\n".encode() + "=s3cr3t;Köln\n;\n;\xfc\n".encode("cp1252")
    )
    ran = importing(database, tmp_path, "leads.csv", "--rejects", "rejects.csv", "--json")
    (told,) = ran.lines
    assert (ran.code, told["rows"], told["accepted"], told["rejected"]) == (1, 3, 1, 2)
    assert "2 of 3 rows were rejected; see rejects.csv" in ran.err
    assert "s3cr3t" not in ran.err + ran.out
    path = tmp_path / "rejects.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["line"], row["reason"], row["Email"], row["Ort"]) for row in rows] == [
        ("3", "no_identity", "'=s3cr3t", "Köln"),
        ("5", "nothing_known", "", "ü"),
    ]
    assert sql.value(database.app_url, "SELECT count(*) FROM import_rejects") == 2
    path.write_text(path.read_text().replace("'=s3cr3t", "b@x.example"))
    mended = importing(database, tmp_path, "rejects.csv", "--json").lines[0]
    assert (mended["accepted"], mended["rejected"]) == (1, 1)


def test_a_dry_run_stores_nothing_and_writes_rejects(database: DatabaseUrls, tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text("Arbeitgeber,Email\nAcme,a@x.example\n,no address\n")
    options = (
        "leads.csv",
        "--dry-run",
        "--map",
        "Arbeitgeber=company",
        "--rejects",
        "rejects.csv",
        "--campaign",
        "fair",
    )
    ran = importing(database, tmp_path, *options)
    assert ran.code == 1
    for told in ("Arbeitgeber", "company", "a@x.example", "fair", "no_identity", "2 rows, 1 of them rejected"):
        assert told in ran.out
    assert "no address" in (tmp_path / "rejects.csv").read_text()
    for name in ("deliveries", "imports", "import_rejects"):
        assert sql.value(database.app_url, f"SELECT count(*) FROM {name}") == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--map", "Arbeitgeber=employer"), "company, website"),
        (("--map", "Arbeitgeber"), "COL=FIELD"),
        (("--map", "Shoe size=company"), "header"),
        (("--rejects", "leads.csv"), "another one"),
    ],
)
def test_what_is_wrong_with_the_command(
    worker_database: DatabaseUrls, tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    (tmp_path / "leads.csv").write_text("Arbeitgeber,Email\nAcme,a@x.example\n")
    ran = importing(worker_database, tmp_path, "leads.csv", *options)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert (tmp_path / "leads.csv").read_text().startswith("Arbeitgeber")


def test_progress_is_a_line_for_many_rows(database: DatabaseUrls, tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text("email\n" + "".join(f"p{n}@x.example\n" for n in range(20_100)))
    ran = importing(database, tmp_path, "leads.csv", "--dry-run")
    assert (ran.code, ran.err.splitlines()) == (0, ["10000 rows", "20000 rows"])


def test_an_interrupted_import_goes_on(database: DatabaseUrls, tmp_path: Path) -> None:
    """From a pipe that stays open: waiting for more must not keep Ctrl-C from ending it."""
    data = ("email\n" + "".join(f"p{n}@x.example\n" for n in range(900))).encode()
    env = {"PATH": os.environ["PATH"]} | given(database, tmp_path)
    command = [sys.executable, "-m", "revenueflow", "import", "-", "--json"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=env, cwd=Path.cwd(), **pipes) as process:  # type: ignore[call-overload]
        process.stdin.write(data[:-1000])
        process.stdin.flush()
        until(lambda: sql.value(database.app_url, "SELECT max(rows) FROM imports") == 500, seconds=30)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stdout.read() == b""
        assert b"run the same command again" in process.stderr.read()
    assert sql.value(database.app_url, "SELECT error FROM imports") == "interrupted"
    ran = subprocess.run(command, env=env, cwd=Path.cwd(), input=data, capture_output=True, check=True)
    assert b'"accepted":400,"duplicates":500' in ran.stdout
    assert sql.value(database.app_url, STORED) == 900


def test_without_a_database_nothing_is_said_to_be_stored(tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text("email\na@x.example\n")
    nowhere = {"DATABASE_URL": "postgresql://user@127.0.0.1:1/x"}
    ran = run(tmp_path, "import", "leads.csv", **nowhere, REVENUEFLOW_IDENTITY_KEY_FILE=str(identity_file(tmp_path)))
    assert (ran.code, ran.out) == (75, "")
    assert "run the same command again" in ran.err
