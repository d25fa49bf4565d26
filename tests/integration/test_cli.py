"""The command line, as a process: what it prints where, and the exit codes that scripts build on."""

from __future__ import annotations

import os
import pty
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import typer.main
from typer.testing import CliRunner

from revenueflow import __version__
from revenueflow.cli.main import app
from revenueflow.devserver.cluster import DatabaseUrls
from tests.support import sql
from tests.support.api import identity_file
from tests.support.cli import Ran, run

NOWHERE = "postgresql://user:s3cr3t@127.0.0.1:1/x"


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands(typer.main.get_command(app)))
OBVIOUS = {
    ("migrate",), ("pause",), ("resume",), ("doctor",), ("serve", "api"), ("serve", "worker"), ("serve", "relay"),
    ("serve", "sandbox"), ("serve", "sealer"),
    ("audit", "checkpoint"), ("keys", "audit"), ("keys", "list"), ("keys", "revoke"), ("keys", "identity"),
    ("jobs", "show"), ("leads", "list"), ("spend", "stop"), ("spend", "resume"),
    ("writes", "stop"), ("writes", "resume"),
}  # fmt: skip


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_says_what_a_command_does_and_shows_an_example(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*path, "--help"])
    text = COMMANDS[path].help or ""
    assert result.exit_code == 0
    assert re.match(r"[A-Z][^.]{8,}[.:]", text), text
    assert path in OBVIOUS or f"revenueflow {' '.join(path)}" in text
    assert all(parameter.help for parameter in COMMANDS[path].params if parameter.param_type_name == "option")


def test_reading_commands_speak_json() -> None:
    for path, command in COMMANDS.items():
        if path[-1] in ("list", "show", "doctor"):
            assert any("--json" in parameter.opts for parameter in command.params), path


def test_the_program_starts_as_a_module() -> None:
    command = [sys.executable, "-m", "revenueflow", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"revenueflow {__version__}\n"


def test_usage_errors(tmp_path: Path) -> None:
    assert run(tmp_path, "nonsense").code == 2
    assert run(tmp_path, "jobs", "retry", DATABASE_URL=NOWHERE).code == 2
    assert run(tmp_path, "leads", "show", "no-id").code == 2


def test_what_is_wrong_is_named_and_not_shown(tmp_path: Path) -> None:
    def failed(code: int, *arguments: str, **environment: str) -> str:
        ran = run(tmp_path, *arguments, **environment)
        assert (ran.code, ran.out) == (code, "")
        assert "s3cr3t" not in ran.err
        assert "Traceback" not in ran.err
        return ran.err

    assert failed(78, "jobs", "list").startswith("DATABASE_URL: is not set")
    assert failed(78, "jobs", "list", DATABASE_URL="s3cr3t").startswith("DATABASE_URL: has a wrong value")
    assert failed(78, "migrate", DATABASE_URL="postgresql://u:s3cr3t@h:port/x").startswith("DATABASE_URL: has a wrong")
    assert "does not answer" in failed(75, "jobs", "list", DATABASE_URL=NOWHERE)
    assert "does not answer" in failed(75, "migrate", DATABASE_URL=NOWHERE)
    assert "REVENUEFLOW_IDENTITY_KEY_FILE" in failed(
        78, "serve", "api", DATABASE_URL=NOWHERE, REDIS_URL="redis://127.0.0.1:1"
    )


def test_the_schema_comes_with_migrate_and_can_be_asked_for_twice(database: DatabaseUrls, tmp_path: Path) -> None:
    both = {"DATABASE_URL": database.app_url, "MIGRATION_DATABASE_URL": database.owner_url}
    ran = run(tmp_path, "migrate", **both)
    assert (ran.code, ran.out, ran.err) == (0, "", "the schema is up to date\n")
    refused = run(tmp_path, "migrate", DATABASE_URL=database.app_url)
    assert refused.code == 0, "nothing to do needs no rights"
    sql.rows(database.owner_url, "DROP TABLE schema_version")
    refused = run(tmp_path, "migrate", DATABASE_URL=database.app_url)
    assert (refused.code, refused.err.split(":")[0]) == (78, "MIGRATION_DATABASE_URL")


def test_keys(database: DatabaseUrls, tmp_path: Path) -> None:
    def keys(*arguments: str) -> Ran:
        return run(tmp_path, "keys", *arguments, DATABASE_URL=database.app_url)

    key = keys("create", "--role", "ingest", "--name", "web [/] site").out.strip()
    assert re.fullmatch(r"rf_[\w-]{43}", key)
    (listed,) = keys("list", "--json").lines
    assert (listed["role"], listed["name"], listed["prefix"], listed["revoked_at"]) == (
        "ingest",
        "web [/] site",
        key[:7],
        None,
    )
    table = keys("list").out
    assert "web [/] site" in table
    assert key not in table + str(listed)
    assert keys("revoke", listed["id"]).code == 0
    again = keys("revoke", listed["id"])
    assert (again.code, again.out) == (1, "")
    assert keys("list", "--json").lines[0]["revoked_at"]
    assert keys("create", "--role", "root").code == 2
    trail = sql.rows(database.app_url, "SELECT action, actor, detail FROM audit_trail ORDER BY ts")
    assert [(row["action"], row["actor"]) for row in trail] == [
        ("key.created", "cli:tester"),
        ("key.revoked", "cli:tester"),
    ]
    assert key not in str(trail)


def test_the_identity_key_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    path = tmp_path / "identity.key"
    assert run(tmp_path, "keys", "identity", "--out", str(path)).code == 0
    made = path.read_text()
    assert re.fullmatch(r"[0-9a-f]{64}\n", made)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = run(tmp_path, "keys", "identity", "--out", str(path))
    assert (again.code, path.read_text()) == (1, made)
    nowhere = run(tmp_path, "keys", "identity", "--out", "no/such/folder")
    assert (nowhere.code, "Traceback" in nowhere.err) == (1, False)


CSV = "Email;Name;Company\ndana@x.example;Dana;[/red] Acme\neve@x.example;Eve;Evil\n;Zoe;Without an address\n"


def test_import_and_what_can_be_seen_of_it(database: DatabaseUrls, tmp_path: Path) -> None:
    given = {"DATABASE_URL": database.app_url, "REVENUEFLOW_IDENTITY_KEY_FILE": str(identity_file(tmp_path))}
    (tmp_path / "leads.csv").write_text(CSV)

    def importing(*options: str) -> Ran:
        return run(tmp_path, "import", "leads.csv", "--json", *options, **given)

    preview = importing("--dry-run").lines[0]
    assert (preview["rows"], preview["unmapped"], preview["first"][0]["company"]) == (3, [], "[/red] Acme")
    assert sql.value(database.app_url, "SELECT count(*) FROM deliveries") == 0
    assert (importing().lines[0]["accepted"], importing().lines[0]["duplicates"]) == (3, 3)
    jobs = run(tmp_path, "jobs", "list", "--state", "ready", "--json", **given).lines
    assert len(jobs) == 3
    shown = run(tmp_path, "leads", "show", jobs[0]["lead_id"], "--json", **given).lines[0]
    assert (shown["lead"], [item["type"] for item in shown["timeline"]]) == (None, ["delivery"])
    assert run(tmp_path, "jobs", "show", jobs[0]["id"], **given).code == 0


@pytest.mark.parametrize("content", ["nonsense\ns3cr3t\n", ""])
def test_files_that_cant_be_imported(worker_database: DatabaseUrls, tmp_path: Path, content: str) -> None:
    (tmp_path / "leads.csv").write_text(content)
    given = {"DATABASE_URL": worker_database.app_url, "REVENUEFLOW_IDENTITY_KEY_FILE": str(identity_file(tmp_path))}
    ran = run(tmp_path, "import", "leads.csv", **given)
    assert (ran.code, ran.out) == (1, "")
    assert "Traceback" not in ran.err
    assert "s3cr3t" not in ran.err


LEAD = """
    INSERT INTO leads (id, campaign_id, identity_key, version, status, company, received_at)
    VALUES ($1, 'default', '', 1, 'processed', $2, now())
"""
QUARANTINED = """
    INSERT INTO deliveries (id, source, delivery_key, raw, body_sha256, content_type, outcome, reason, trace_id)
    VALUES ($1, 'marketo', 'k', '{"s3cr3t', '', 'application/json', 'quarantined', 'malformed_json', '')
"""


def test_leads_and_quarantine_are_shown_whatever_strangers_wrote(database: DatabaseUrls, tmp_path: Path) -> None:
    lead, lost = uuid4(), uuid4()
    sql.rows(database.app_url, LEAD, lead, "[/x] [link=https://evil.example]Acme[/link]")
    sql.rows(database.app_url, QUARANTINED, lost)

    def shown(*arguments: str) -> Ran:
        ran = run(tmp_path, *arguments, DATABASE_URL=database.app_url)
        assert ran.code == 0, ran.err
        return ran

    assert "[/x] [link=" in shown("leads", "list").out
    assert "[/x] [link=" in shown("leads", "show", str(lead)).out
    assert shown("leads", "list", "--json").lines[0]["id"] == str(lead)
    assert shown("leads", "list", "--status", "dead", "--json").lines == []
    (found,) = shown("jobs", "list", "--quarantined", "--json").lines
    assert (found["id"], found["reason"], found["bytes"]) == (str(lost), "malformed_json", 8)
    assert "s3cr3t" not in str(found)
    for noun in ("leads", "jobs"):
        missing = run(tmp_path, noun, "show", str(uuid4()), DATABASE_URL=database.app_url)
        assert (missing.code, missing.out) == (1, "")


STOPPED_JOB = """
    INSERT INTO jobs (id, lead_id, run_version, wanted_version, state, step, error_class, finished_at, trace_id)
    VALUES ($1, uuidv7(), 1, 1, $2, $3, $4, now() - make_interval(hours => $5), '')
"""


class Jobs:
    """Jobs that stand still, and `revenueflow jobs`."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder

    def stop(self, state: str = "dead", step: str = "record", error: str = "Boom", hours: int = 0) -> str:
        job = uuid4()
        sql.rows(self.url, STOPPED_JOB, job, state, step, error, hours)
        return str(job)

    def __call__(self, *arguments: str) -> Ran:
        return run(self.folder, "jobs", *arguments, DATABASE_URL=self.url)

    def ready(self) -> set[str]:
        return {str(row["id"]) for row in sql.rows(self.url, "SELECT id FROM jobs WHERE state = 'ready'")}


@pytest.fixture
def jobs(database: DatabaseUrls, tmp_path: Path) -> Jobs:
    return Jobs(database.app_url, tmp_path)


def test_jobs_that_stopped_are_grouped_listed_and_shown(jobs: Jobs) -> None:
    one, old, parked = jobs.stop(), jobs.stop(hours=5), jobs.stop("parked", error="crm_invalid")
    poison = jobs.stop(error="lease_expired")
    groups = {(group["error_class"], group["poison"]): group for group in jobs("list", "--groups", "--json").lines}
    assert {kind: group["count"] for kind, group in groups.items()} == {("Boom", False): 2, ("lease_expired", True): 1}
    assert groups["Boom", False]["fingerprint"] in jobs("list", "--groups").out
    (group,) = jobs("list", "--groups", "--state", "parked", "--json").lines
    assert group["example"] == parked

    def listed(*options: str) -> set[str]:
        return {job["id"] for job in jobs("list", "--json", *options).lines}

    fingerprint = groups["Boom", False]["fingerprint"]
    assert listed("--fingerprint", fingerprint) == {one, old}
    assert listed("--fingerprint", fingerprint, "--since", "2h") == {one}
    assert listed("--state", "dead", "--since", "2h") == {one, poison}
    assert listed("--since", "2h") == {one, parked, poison}
    (shown,) = jobs("show", one, "--json").lines
    assert (shown["attempt"], shown["error_class"], shown["fingerprint"], shown["steps"]) == (
        0, "Boom", fingerprint, [],
    )  # fmt: skip


def test_jobs_are_replayed(jobs: Jobs) -> None:
    one, old, parked = jobs.stop(), jobs.stop(hours=5), jobs.stop("parked")
    poison = jobs.stop(error="lease_expired")
    dry = jobs("replay", "--since", "2h", "--dry-run")
    assert (dry.code, dry.out, dry.err) == (0, "", "1 would be set going again; left alone: 1 poison\n")
    assert jobs.ready() == set()
    done = jobs("replay", "--since", "2h", "--from", "score", "--json")
    assert done.lines == [{"replayed": 1, "left": {"poison": 1}, "jobs": [one]}]
    assert (done.err, jobs.ready()) == ("1 set going again from score; left alone: 1 poison\n", {one})
    assert jobs("replay", "--since", "1w", "--state", "both").code == 0
    assert jobs.ready() == {one, old, parked}
    (group,) = jobs("list", "--groups", "--json").lines
    nothing = jobs("replay", "--fingerprint", group["fingerprint"])
    assert (nothing.code, nothing.err) == (1, "0 set going again; left alone: 1 poison\n")
    assert jobs("replay", "--fingerprint", group["fingerprint"], "--poison").code == 0
    again = jobs("replay", poison)
    assert (again.code, again.err) == (1, "0 set going again; left alone: 1 not_stopped\n")
    assert jobs.ready() == {one, old, parked, poison}


def test_retry_is_a_replay_from_where_they_stopped(jobs: Jobs) -> None:
    dead, parked, poison = jobs.stop(), jobs.stop("parked"), jobs.stop(error="lease_expired")
    assert jobs("retry", "--all", "dead").err == "1 set going again; left alone: 1 poison\n"
    assert jobs.ready() == {dead}
    assert jobs("retry", parked, poison).code == 0
    assert jobs.ready() == {dead, parked, poison}


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("--from", "score"), (str(uuid4()), "--since", "2h"), ("--since", "yesterday"), ("--since", "2026-11-21"),
        ("--since", "2h", "--from", "nowhere"), ("--since", "2h", "--state", "done"), ("no-id",),
    ],
)  # fmt: skip
def test_a_replay_that_is_asked_for_wrongly(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ran = run(tmp_path, "jobs", "replay", *arguments, DATABASE_URL=NOWHERE)
    assert (ran.code, ran.out, "Traceback" in ran.err) == (2, "", False)


@pytest.mark.parametrize(("answer", "code", "count"), [("n", 1, 0), ("y", 0, 2)])
def test_a_person_is_asked_before_many_are_replayed(jobs: Jobs, answer: str, code: int, count: int) -> None:
    jobs.stop()
    jobs.stop()
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    command = [sys.executable, "-m", "revenueflow", "jobs", "replay", "--since", "2h"]
    env = os.environ | {"DATABASE_URL": jobs.url}
    done = subprocess.run(command, stdin=theirs, stderr=subprocess.PIPE, env=env, timeout=60, check=False)
    os.close(ours)
    os.close(theirs)
    assert b"2 would be set going again" in done.stderr
    assert (done.returncode, len(jobs.ready())) == (code, count)


def test_pause_and_resume(database: DatabaseUrls, tmp_path: Path) -> None:
    def ask(word: str) -> Ran:
        return run(tmp_path, word, DATABASE_URL=database.app_url, USER="Dana <dana@x.example>")

    assert ask("pause").code == 0
    assert sql.value(database.app_url, "SELECT name FROM controls") == "paused"
    assert ask("resume").err == "resumed\n"
    assert (ask("resume").code, sql.value(database.app_url, "SELECT count(*) FROM controls")) == (0, 0)
    trail = sql.rows(database.app_url, "SELECT action, actor FROM audit_trail ORDER BY ts")
    assert [row["action"] for row in trail] == ["system.paused", "system.resumed"]
    assert "dana" not in str(trail).lower()


def test_doctor(database: DatabaseUrls, redis_url: str, tmp_path: Path) -> None:
    good = {
        "DATABASE_URL": database.app_url, "REDIS_URL": redis_url,
        "REVENUEFLOW_IDENTITY_KEY_FILE": str(identity_file(tmp_path)),
    }  # fmt: skip

    def doctor(code: int, **changed: str) -> dict[str, tuple[str, str]]:
        ran = run(tmp_path, "doctor", "--json", **(good | changed))
        assert (ran.code, ran.err) == (code, "")
        assert "s3cr3t" not in ran.out
        return {row["check"]: (row["state"], row["hint"]) for row in ran.lines}

    found = doctor(0)
    assert {state for state, _ in found.values()} == {"ok", "missing"}
    assert {name for name, (state, _) in found.items() if state == "ok"} >= {"settings", "Postgres", "schema", "Redis"}
    assert found["GEMINI_API_KEY"] == ("missing", "the rules analyst answers")
    stop = """INSERT INTO controls (name, value, set_by, set_at)
              VALUES ('writes_stopped', 'true', 'cli:o', now() - interval '3:07:30'),
                     ('spending_stopped', 'true', 'cli:o', now() - interval '59 minutes')"""
    sql.rows(database.owner_url, stop)
    found = doctor(0)
    assert found["writes_stopped"] == ("set", "for 3 h 7 min, by cli:o; `revenueflow writes resume` ends it")
    assert found["spending_stopped"] == ("set", "for 59 min, by cli:o; `revenueflow spend resume` ends it")
    assert doctor(78, CRM_PROVIDER="s3cr3t")["CRM_PROVIDER"][0] == "wrong"
    assert doctor(78, REVENUEFLOW_IDENTITY_KEY_FILE="/nowhere")["identity key"][0] == "wrong"
    (tmp_path / "routing.toml").write_text("nonsense = 's3cr3t'")
    assert doctor(78, REVENUEFLOW_CONFIG_DIR=str(tmp_path))["routing.toml"][0] == "wrong"
    assert doctor(1, DATABASE_URL=NOWHERE)["Postgres"][0] == "wrong"
    assert doctor(1, REDIS_URL="redis://:s3cr3t@127.0.0.1:1/0")["Redis"][0] == "wrong"
    sql.rows(database.owner_url, "UPDATE schema_version SET version_num = '0000'")
    assert "revenueflow migrate" in doctor(1)["schema"][1]


def test_up_says_which_setting_names_a_postgres_that_does_not_answer(tmp_path: Path) -> None:
    ran = run(tmp_path, "up", "--no-sandbox", "--port", "0", DATABASE_URL="postgresql://a:s3cr3t@127.0.0.1:1/x")
    assert ran.code != 0
    assert "DATABASE_URL is set, in the environment or in .env, and is used instead of the embedded" in ran.err
    assert "s3cr3t" not in ran.err
