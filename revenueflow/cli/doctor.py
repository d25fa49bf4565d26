"""Looks for what would keep the system from working, and says what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import typer
from sqlalchemy import text

from revenueflow.cli.run import CONFIGURATION, FAILED, OK, guarded, show
from revenueflow.db.engine import engine_for
from revenueflow.db.session import Database, Session
from revenueflow.errors import ConfigurationError, Unavailable
from revenueflow.privacy.identity_file import identity_key
from revenueflow.queue.doorbell import Doorbell
from revenueflow.resilience.crash import POINTS
from revenueflow.settings import GROUPS, Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `state` is ok, missing (goes without), set, wrong; then `code` is the exit code."""

    check: str
    state: str
    hint: str = ""
    code: int = CONFIGURATION

    def row(self) -> dict[str, str]:
        """For printing."""
        return {"check": self.check, "state": self.state, "hint": self.hint}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="JSON Lines.")] = False,
    explain: Annotated[bool, typer.Option("--settings", help="List every setting with its meaning.")] = False,
    crash_points: Annotated[
        bool, typer.Option("--crash-points", help="List the names that REVENUEFLOW_CRASH_AT takes.")
    ] = False,
) -> None:
    """Check settings, files, Postgres and Redis, with a hint for each problem.

    Exit code 0 if everything is fine, 78 if a setting or file is wrong, 1 if something does not answer.
    """
    if explain:
        show(_settings(), ["name", "default", "meaning"], as_json=as_json)
        return
    if crash_points:
        show([{"name": name, "meaning": meaning} for name, meaning in POINTS.items()], ["name", "meaning"],
             as_json=as_json)  # fmt: skip
        return
    settings, findings = _load()
    if settings:
        findings += guarded(lambda: asyncio.run(_examine(settings)))
    show([finding.row() for finding in findings], ["check", "state", "hint"], as_json=as_json)
    raise typer.Exit(max((finding.code for finding in findings if finding.state == "wrong"), default=OK))


def _settings() -> list[dict[str, str]]:
    fields = [field for group in GROUPS.values() for field in group.model_fields.values()]
    return [
        {
            "name": str(field.validation_alias),
            "default": "required" if field.is_required() else "" if field.default is None else str(field.default),
            "meaning": field.description or "",
        }
        for field in fields
    ]


def _load() -> tuple[Settings | None, list[Finding]]:
    try:
        return Settings.load(), [Finding("settings", "ok")]
    except ConfigurationError as error:
        faults = error.faults or ()
        named = [Finding(fault.pointer, "wrong", fault.detail) for fault in faults]
        return None, named or [Finding("settings", "wrong", error.detail)]


async def _examine(settings: Settings) -> list[Finding]:
    findings = [_identity(settings), *_files(settings), *_upstreams(settings)]
    findings.append(await _answers("Postgres", _postgres(settings), "is DATABASE_URL right, and the server up?"))
    if findings[-1].state == "ok":
        findings.append(await _answers("schema", _schema(settings), "run `revenueflow migrate`"))
    if findings[-1].check == "schema" and findings[-1].state == "ok":
        findings += await _switches(settings)
    findings.append(await _answers("Redis", _redis(settings), "is REDIS_URL right, and the server up?"))
    return findings


def _identity(settings: Settings) -> Finding:
    try:
        identity_key(settings.keys)
    except ConfigurationError as error:
        return Finding("identity key", "wrong", error.detail)
    return Finding("identity key", "ok")


def _files(settings: Settings) -> list[Finding]:
    from revenueflow.wiring.files import check_analysts, check_directory, check_files

    folder = settings.config_dir
    found = [*check_files(folder), *check_directory(settings.enrichment), *check_analysts(settings.analysis, folder)]
    return [Finding(name, "wrong" if problem else "ok", problem or "") for name, problem in found]


def _upstreams(settings: Settings) -> list[Finding]:
    given = {
        "CLEARBIT_API_KEY": settings.enrichment.clearbit_key,
        "HUNTER_API_KEY": settings.enrichment.hunter_key,
        "PIPE0_API_KEY": settings.enrichment.pipe0_key,
        "APOLLO_API_KEY": settings.enrichment.apollo_key,
        "ZOOMINFO_CLIENT_SECRET": settings.enrichment.zoominfo_secret,
        "MARKETO_CLIENT_SECRET": settings.marketo.client_secret,
        "HUBSPOT_JOURNAL_CLIENT_SECRET": settings.hubspot_journal.client_secret,
        "ATURIYA_TOKEN": settings.aturiya.token,
        "GEMINI_API_KEY": settings.analysis.api_key,
        "SLACK_BOT_TOKEN": settings.slack.token,
        "HUBSPOT_ACCESS_TOKEN": settings.hubspot.token,
        "MARKETO_WEBHOOK_SECRET": settings.webhooks.marketo_secrets,
        "HUBSPOT_CLIENT_SECRET": settings.webhooks.hubspot_secrets,
    }
    hints = {"GEMINI_API_KEY": "the rules analyst answers", "SLACK_BOT_TOKEN": "no messages are sent"}
    return [
        Finding(
            name,
            "ok" if value else "missing",
            "" if value else hints.get(name, "this source or vendor is off"),
        )
        for name, value in given.items()
    ]


async def _answers(check: str, question: Callable[[], Awaitable[None]], hint: str) -> Finding:
    try:
        await question()
    except (Unavailable, ConfigurationError) as error:
        return Finding(check, "wrong", f"{error.detail}; {hint}", FAILED)
    return Finding(check, "ok")


@asynccontextmanager
async def _session(settings: Settings) -> AsyncIterator[Session]:
    async with engine_for(settings.database, application="doctor") as engine, Database(engine).transaction() as session:
        yield session


def _postgres(settings: Settings) -> Callable[[], Awaitable[None]]:
    async def ask() -> None:
        async with _session(settings) as session:
            await session.execute(text("SELECT 1"))

    return ask


def _schema(settings: Settings) -> Callable[[], Awaitable[None]]:
    from revenueflow.db.migrate import newest, present

    async def ask() -> None:
        async with _session(settings) as session:
            if (found := await present(session)) != newest():
                raise ConfigurationError(f"the schema is at {found or 'nothing'}, this version needs {newest()}")

    return ask


async def _switches(settings: Settings) -> list[Finding]:
    """What somebody has stopped: nothing is wrong, and yet leads wait."""
    from revenueflow.db import controls, spend

    undo = {
        controls.PAUSED: "revenueflow resume",
        controls.WRITES_STOPPED: "revenueflow writes resume",
        spend.STOPPED: "revenueflow spend resume",
    }
    async with _session(settings) as session:
        found = await controls.current(session)
    return [
        Finding(row["name"], "set", f"for {_long(row['seconds'])}, by {row['set_by']}; `{undo[row['name']]}` ends it")
        for row in found
        if row["name"] in undo
    ]


def _long(seconds: float) -> str:
    hours, minutes = divmod(int(seconds // 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _redis(settings: Settings) -> Callable[[], Awaitable[None]]:
    async def ask() -> None:
        doorbell = Doorbell(settings.redis.url)
        try:
            await doorbell.waiting()
        finally:
            await doorbell.aclose()

    return ask
