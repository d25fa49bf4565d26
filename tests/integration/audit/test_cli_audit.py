"""`revenueflow audit` as an auditor runs it, and the verifier that shares no code with us."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest

from revenueflow.devserver.cluster import DatabaseUrls
from tests.support import cli, sql
from tests.support.cli import Ran
from tests.support.trail import Trail

VERIFIER = Path(__file__).parents[3] / "docs" / "verify-audit.py"


class Auditor:
    """Somebody with the auditor's database role, the public keys and the checkpoint file."""

    def __init__(self, trail: Trail) -> None:
        self.trail = trail

    def run(self, *arguments: str, **environment: str) -> Ran:
        """A command of `revenueflow audit`."""
        given = {
            "DATABASE_URL": self.trail.urls.auditor_url,
            "REVENUEFLOW_AUDIT_KEY_FILE": str(self.trail.key),
            "REVENUEFLOW_CHECKPOINT_FILE": str(self.trail.file),
        }
        return cli.run(self.trail.folder, "audit", *arguments, **(given | environment))

    def alone(self, *arguments: str, key: Path | None = None) -> subprocess.CompletedProcess[str]:
        """The stand-alone verifier, without anything installed."""
        command = [sys.executable, "-I", "-S", str(VERIFIER), *arguments, "--key", f"{key or self.trail.key}.pub"]
        return subprocess.run(command, capture_output=True, text=True, cwd=self.trail.folder, check=False)

    def file(self, name: str, content: str) -> str:
        """A file in the auditor's folder."""
        (self.trail.folder / name).write_text(content, encoding="utf-8")
        return name


@pytest.fixture
def auditor(database: DatabaseUrls, tmp_path: Path) -> Auditor:
    return Auditor(Trail(database, tmp_path))


async def test_an_intact_trail(auditor: Auditor) -> None:
    auditor.trail.append(6)
    await auditor.trail.seal()
    ran = auditor.run("verify")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "intact")
    (told,) = auditor.run("verify", "--json").lines
    assert (told["intact"], told["events"], told["signed"], told["problems"]) == (True, 6, 6, [])


async def test_a_changed_trail_ends_with_1_and_names_the_event(auditor: Auditor) -> None:
    changed = auditor.trail.append(6)[3]
    await auditor.trail.seal()
    sql.rows(auditor.trail.urls.superuser_url, "ALTER TABLE audit_events DISABLE TRIGGER ALL")
    sql.rows(auditor.trail.urls.superuser_url, "UPDATE audit_events SET actor = 'x' WHERE id = $1::uuid", changed)
    ran = auditor.run("verify")
    assert ran.code == 1
    assert "TAMPERED" in ran.err
    assert changed in ran.out
    assert auditor.run("verify", "--json").lines[0]["problems"][0]["event_id"] == changed


@pytest.mark.parametrize(
    "broken",
    [
        {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"},
        {"REVENUEFLOW_AUDIT_KEY_FILE": "none.key"},
        {"REVENUEFLOW_AUDIT_KEY_FILE": ""},
        {"REVENUEFLOW_CHECKPOINT_FILE": "none.jsonl"},
    ],
)
def test_what_can_not_be_checked_ends_with_75(auditor: Auditor, broken: dict[str, str]) -> None:
    ran = auditor.run("verify", **broken)
    assert ran.code == 75
    assert ran.err.startswith("could not check: ")


async def test_a_proof_is_checked_by_the_stand_alone_verifier(auditor: Auditor) -> None:
    ids = auditor.trail.append(11)
    await auditor.trail.seal()
    for event_id in (ids[0], ids[6], ids[10]):
        told = auditor.run("proof", event_id)
        assert told.code == 0
        done = auditor.alone(auditor.file("proof.json", told.out))
        assert (done.returncode, done.stderr) == (0, "")
        assert f"event {event_id} is number" in done.stdout


def _forged(proof: dict[str, Any]) -> list[dict[str, Any]]:
    event, path = proof["event"], proof["path"]
    return [
        proof | {"event": event | {"actor": "nobody"}},
        proof | {"event": event | {"detail": {}}},
        proof | {"leaf_index": proof["leaf_index"] ^ 1},
        proof | {"leaf_index": proof["leaf_index"] - 100},
        proof | {"path": path[:-1]},
        proof | {"path": [*path, path[0]]},
        proof | {"path": path[::-1]},
        proof | {"tree_size": proof["tree_size"] - 1},
        proof | {"checkpoint": proof["checkpoint"].replace("\n11\n", "\n12\n")},
    ]


async def test_a_forged_proof_is_refused(auditor: Auditor) -> None:
    event_id = auditor.trail.append(11)[4]
    await auditor.trail.seal()
    proof = auditor.run("proof", event_id).lines[0]
    for forged in _forged(proof):
        done = auditor.alone(auditor.file("proof.json", orjson.dumps(forged).decode()))
        assert done.returncode == 1, (forged, done.stdout)
        assert done.stdout.startswith("NOT VERIFIED")
    stranger = Trail(auditor.trail.urls, auditor.trail.folder / "stranger")
    stranger.folder.mkdir()
    auditor.file("proof.json", orjson.dumps(proof).decode())
    assert auditor.alone("proof.json", key=stranger.key).returncode == 1


async def test_an_export_is_checked_by_the_stand_alone_verifier(auditor: Auditor) -> None:
    auditor.trail.append(9)
    await auditor.trail.seal()
    auditor.file("checkpoint.txt", auditor.run("checkpoint").out)
    auditor.trail.append(4)
    await auditor.trail.seal()
    trail = auditor.run("export").out
    done = auditor.alone(auditor.file("trail.ndjson", trail), "--checkpoint", "checkpoint.txt")
    assert (done.returncode, done.stderr) == (0, "")
    assert "13 events, the first 9 of them" in done.stdout
    lines = trail.splitlines(keepends=True)
    swapped = [*lines[:2], lines[3], lines[2], *lines[4:]]
    for forged in (lines[1:], lines[:4], swapped, [line.replace('"t"', '"u"') for line in lines]):
        done = auditor.alone(auditor.file("trail.ndjson", "".join(forged)), "--checkpoint", auditor.trail.file.name)
        assert done.returncode == 1, done.stdout


def test_files_that_can_not_be_used_end_with_2(auditor: Auditor) -> None:
    auditor.trail.key  # noqa: B018
    for content in ("", "[]", "{}", "no json", '{"path": 1, "checkpoint": "x"}'):
        assert auditor.alone(auditor.file("proof.json", content)).returncode in (1, 2)
    assert auditor.alone("none.json").returncode == 2


async def test_an_export_of_one_lead_for_people(auditor: Auditor) -> None:
    auditor.trail.append(2)
    lead = uuid4()
    ids = auditor.trail.append(2, lead)
    await auditor.trail.seal()
    rows = list(csv.DictReader(auditor.run("export", "--format", "csv", "--lead", str(lead)).out.splitlines()))
    assert {row["id"] for row in rows} == set(ids)
    assert auditor.run("export", "--since", "2030-01-01T00:00:00Z").out == ""


async def test_what_is_not_sealed_yet_is_told(auditor: Auditor) -> None:
    assert auditor.run("checkpoint").code == 75
    (event_id,) = auditor.trail.append(1)
    assert auditor.run("proof", event_id).code == 1
    await auditor.trail.seal()
    assert auditor.run("proof", event_id).code == 0
    assert auditor.run("checkpoint", "--json").lines[0]["size"] == 1


def test_a_key_is_made_once(auditor: Auditor, tmp_path: Path) -> None:
    made = cli.run(tmp_path, "keys", "audit", "--out", "new.key")
    assert made.code == 0
    assert made.out.strip() == (tmp_path / "new.key.pub").read_text().strip()
    assert cli.run(tmp_path, "keys", "audit", "--out", "new.key").code == 1
