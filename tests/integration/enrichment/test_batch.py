"""`revenueflow enrich` beside a worker: progress, files, and going on after an interruption."""

from __future__ import annotations

import asyncio
import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import orjson

from tests.support import cli
from tests.support.house import KNOWN, House


def command(home: House, out: Path, *more: str) -> tuple[list[str], dict[str, str]]:
    env = {**os.environ, "DATABASE_URL": home.urls.app_url}
    return [sys.executable, "-m", "revenueflow", "enrich", "--out", str(out), *more], env


async def run(home: House, out: Path, *more: str, **env: str) -> tuple[int, str, str]:
    arguments = ("enrich", "--out", str(out), *more)
    ran = await asyncio.to_thread(cli.run, out.parent, *arguments, DATABASE_URL=home.urls.app_url, **env)
    return ran.code, ran.out, ran.err


async def processed(home: House, count: int) -> None:
    for n in range(count):
        await home.deliver(email=f"n{n}@{KNOWN}", company="=cmd|' /C calc'!A0")
    await home.until_done(count)


async def test_leads_are_enriched_anew_and_written_with_their_sources(home: House, tmp_path: Path) -> None:
    async with home.staffed():
        await processed(home, 3)
        code, out, progress = await run(home, tmp_path / "out", "--max-age-days", "0")
    assert (code, "3 of 3 leads" in progress) == (0, True)
    told = orjson.loads(out)
    assert (told["leads"], told["enriched"], told["exported"], told["not_done"]) == (3, 3, 3, 0)
    rows = [orjson.loads(line) for line in (tmp_path / "out/enriched.jsonl").read_bytes().splitlines()]
    assert {one["provider"] for row in rows for one in row["evidence"]} == {"form", "clearbit", "hunter"}
    assert all(one["fetched_at"] and one["path"] for row in rows for one in row["evidence"])
    with (tmp_path / "out/enriched.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [row["lead_id"] for row in table] == [row["lead_id"] for row in rows]
    assert {row["company_name"] for row in table} == {"Larkvale Systems"}
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in table for cell in row.values())
    assert await home.calls("clearbit") == 4, "the company once, and each person once"


async def test_what_is_fresh_is_exported_as_it_is(home: House, tmp_path: Path) -> None:
    async with home.staffed():
        await processed(home, 2)
    code, out, _ = await run(home, tmp_path / "out", "--format", "json")
    assert (code, orjson.loads(out)["enriched"], orjson.loads(out)["exported"]) == (0, 0, 2)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["enriched.jsonl"]
    code, out, _ = await run(home, tmp_path / "out", "--format", "csv", "--campaign", "other")
    assert (code, orjson.loads(out)["leads"]) == (0, 0)


async def test_interrupted_it_goes_on_where_it_was(home: House, tmp_path: Path) -> None:
    async with home.staffed():
        await processed(home, 2)
    arguments, env = command(home, tmp_path / "out", "--max-age-days", "0")
    child = await asyncio.to_thread(
        subprocess.Popen, arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stderr is not None
    line = await asyncio.to_thread(child.stderr.readline)  # nobody works: it waits
    assert line == "0 of 2 leads\n"
    child.send_signal(signal.SIGINT)
    _, rest = await asyncio.to_thread(child.communicate, timeout=20)
    assert (child.returncode, "goes on from here" in rest, "Traceback" in rest) == (130, True, False), rest
    async with home.staffed():
        await home.until_done(4)
        code, out, _ = await run(home, tmp_path / "out")
        assert (code, orjson.loads(out)["exported"]) == (0, 2)
    with (tmp_path / "out/enriched.jsonl").open("ab") as file:
        file.write(b'{"lead_id": "torn')
    code, out, _ = await run(home, tmp_path / "out")
    assert (code, orjson.loads(out)["exported"]) == (0, 2)
    assert len((tmp_path / "out/enriched.csv").read_text().splitlines()) == 3


async def test_a_campaign_of_aturiya_is_pulled_first(home: House, tmp_path: Path) -> None:
    aturiya = {
        "ATURIYA_BASE_URL": home.sandbox.urls["aturiya"],
        **dict.fromkeys(("ATURIYA_TOKEN", "ATURIYA_USER_ID", "ATURIYA_AGENT_ID"), "sandbox"),
        "REDIS_URL": home.settings.redis.url,
        "REVENUEFLOW_IDENTITY_KEY_FILE": str(home.settings.keys.identity_key_file),
    }
    async with home.staffed():
        code, out, said = await run(home, tmp_path / "out", "--campaign", "atr-finance", "--limit", "4", **aturiya)
    assert code == 0, said
    told = orjson.loads(out)
    assert (told["leads"], told["exported"], told["not_done"]) == (4, 4, 0)
    assert {row["source"] for row in home.rows("SELECT source FROM deliveries")} == {"aturiya"}
