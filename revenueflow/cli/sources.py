"""Sources that are pulled, for people at a terminal."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, NamedTuple, TypeVar

import typer

from revenueflow.cli.jobs import moment
from revenueflow.cli.run import RETRY_LATER, asked, err, fail, guarded, show
from revenueflow.db import source_cursors
from revenueflow.db.direct import Direct
from revenueflow.db.engine import engine_for
from revenueflow.db.session import Database
from revenueflow.errors import ConfigurationError
from revenueflow.privacy.identity import IdentityKey
from revenueflow.privacy.identity_file import identity_key
from revenueflow.settings import Settings
from revenueflow.sources import aturiya, configured
from revenueflow.sources.ingress import Ingress
from revenueflow.sources.reconcile import Puller, reconcile

app = typer.Typer(help="Sources that are pulled: marketo, hubspot, aturiya.", no_args_is_help=True)
T = TypeVar("T")
Json = Annotated[bool, typer.Option("--json", help="JSON Lines.")]
PULLED = ["source", "seen", "found", "closed"]
CAMPAIGNS = ["campaign_id", "leads", "accepted", "duplicates", "quarantined"]
NEEDED = {
    "marketo": "MARKETO_BASE_URL, MARKETO_CLIENT_ID and MARKETO_CLIENT_SECRET",
    "hubspot": "HUBSPOT_JOURNAL_CLIENT_ID and HUBSPOT_JOURNAL_CLIENT_SECRET",
    "aturiya": configured.ATURIYA_SETTINGS,
}


class Parts(NamedTuple):
    """What a pull needs."""

    settings: Settings
    direct: Direct
    database: Database
    key: IdentityKey
    ingress: Ingress


@app.command("list")
def list_sources(as_json: Json = False) -> None:
    """When each source was last read to its end, and before when it asked not to be read.

    Example: revenueflow sources list --json
    """

    async def read(database: Database) -> list[dict[str, Any]]:
        async with database.transaction() as session:
            return await source_cursors.every(session)

    show(asked(read), ["source", "pulled_at", "age", "not_before"], as_json=as_json)


@app.command()
def pull(
    source: Annotated[str, typer.Argument(help="marketo, hubspot or aturiya")],
    since: Annotated[
        datetime | None,
        typer.Option(parser=moment, metavar="TIME", help="From then on: 2026-11-21T05:00:00Z, or 2h, 3d ago."),
    ] = None,
    campaign: Annotated[list[str] | None, typer.Option(help="aturiya: only this one; may be repeated")] = None,
    as_json: Json = False,
) -> None:
    """Pull once, now. What is stored already is stored no second time.

    Examples: revenueflow sources pull marketo --since 2d; revenueflow sources pull aturiya --campaign 42
    """
    if source not in NEEDED:
        fail(f"the source is one of: {', '.join(NEEDED)}", 2)
    if (campaign and source != "aturiya") or (since and source == "aturiya"):
        fail("--since is for marketo and hubspot, --campaign for aturiya", 2)
    if source == "aturiya":
        show(_with_parts(lambda parts: _pull_campaigns(parts, campaign)), CAMPAIGNS, as_json=as_json)
        return
    row = _with_parts(lambda parts: _pull(parts, source, since))
    if row is None:
        fail("another process reads this source now", RETRY_LATER)
    show([row], PULLED, as_json=as_json)


def _with_parts(work: Callable[[Parts], Awaitable[T]]) -> T:
    async def run() -> T:
        async with parts(Settings.load()) as given:
            return await work(given)

    return guarded(lambda: asyncio.run(run()))


@asynccontextmanager
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    """What a pull needs, closed at the end."""
    key = identity_key(settings.keys)
    async with (
        engine_for(settings.database.model_copy(update={"pool_size": 4}), application="cli") as engine,
        Direct(settings.database, application="cli") as direct,
        aclosing(Ingress(direct, key)) as ingress,
    ):
        yield Parts(settings, direct, Database(engine), key, ingress)


async def _pull(parts: Parts, source: str, since: datetime | None) -> dict[str, Any] | None:
    make = configured.marketo if source == "marketo" else configured.hubspot
    puller: Puller = _needed(make(parts.settings, parts.direct, parts.key), source)
    async with aclosing(puller):
        pulled = await reconcile(puller, parts.direct, parts.ingress, secrets.token_hex(16), since=since)
    if pulled is None:
        return None
    return {"source": source, "seen": pulled.seen, "found": pulled.found, "closed": pulled.closed}


async def pull_campaign(campaign: str, limit: int) -> bool:
    """Pulls a campaign from Aturiya if that is set up and knows it; whether it did."""
    async with parts(Settings.load()) as given:
        client = configured.aturiya(given.settings)
        if client is None:
            return False
        async with aclosing(client):
            if campaign not in {one.id for one in await aturiya.pull_names(client, given.database)}:
                return False
            trace_id = secrets.token_hex(16)
            await aturiya.pull_campaign(client, given.ingress, given.database, campaign, trace_id=trace_id, limit=limit)
            return True


async def _pull_campaigns(parts: Parts, wanted: list[str] | None) -> list[dict[str, Any]]:
    rows = []
    async with aclosing(_needed(configured.aturiya(parts.settings), "aturiya")) as client:
        known = await aturiya.pull_names(client, parts.database)
        for id_ in wanted or [one.id for one in known]:
            err.print(f"pulling {id_}", markup=False)
            pulled = await aturiya.pull_campaign(
                client, parts.ingress, parts.database, id_, trace_id=secrets.token_hex(16)
            )
            rows.append({name: getattr(pulled, name) for name in CAMPAIGNS})
    return rows


def _needed(made: T | None, source: str) -> T:
    if made is None:
        raise ConfigurationError(f"{source} can't be read: set {NEEDED[source]}")
    return made
