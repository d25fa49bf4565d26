"""The processes of a production deployment, one command each."""

from __future__ import annotations

import asyncio
import logging
import resource
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Annotated

import typer

from revenueflow.cli.run import guarded, run_until_signal
from revenueflow.db.direct import Direct
from revenueflow.db.engine import engine_for
from revenueflow.db.session import Database
from revenueflow.errors import ConfigurationError
from revenueflow.privacy.identity_file import identity_key
from revenueflow.resilience import crash
from revenueflow.settings import Settings
from revenueflow.telemetry import logs

MOST_FILES = 65_536
DIRECT = 8
"""Connections for what all leads of a worker share."""

app = typer.Typer(help="Serve one process, until SIGINT or SIGTERM.", no_args_is_help=True)


@app.command()
def api(
    host: Annotated[str | None, typer.Option(help="Address to listen on (REVENUEFLOW_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (REVENUEFLOW_PORT).")] = None,
) -> None:
    """The HTTP API: webhooks, leads, health, metrics."""
    import uvicorn

    from revenueflow.api.app import create_app
    from revenueflow.api.deadlines import protocol

    settings = _started()
    guarded(lambda: identity_key(settings.keys))
    config = uvicorn.Config(
        guarded(lambda: create_app(settings)),
        host=host or settings.api.host,
        port=settings.api.port if port is None else port,
        loop="uvloop",
        http=protocol(settings.api),
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    logging.getLogger("uvicorn.error").addFilter(_not_told_twice)
    uvicorn.Server(config).run()


@app.command()
def worker() -> None:
    """A worker: runs the pipeline for up to REVENUEFLOW_WORKER_CONCURRENCY leads at a time."""
    run_until_signal(_work(_started()))


@app.command()
def relay() -> None:
    """The relay: rings workers for what is due. Any number may run."""
    run_until_signal(_relay(_started()))


@app.command()
def sealer() -> None:
    """The sealer of the audit trail. Any number may run; one works at a time."""
    run_until_signal(_seal(_started()))


@app.command()
def sandbox(
    seed: Annotated[int, typer.Option(help="The same seed gives the same answers.")] = 1,
    invent_rate: Annotated[float, typer.Option(min=0, max=1, help="How often the model invents.")] = 0.0,
    latency: Annotated[bool, typer.Option(help="Answer as slowly as real upstreams do.")] = True,
    data_dir: Annotated[Path | None, typer.Option(help="Where the fake CRM keeps its records.")] = None,
    ports: Annotated[str, typer.Option(help="upstream=port,… ; others take a free one")] = "",
    ports_file: Annotated[Path | None, typer.Option(help="Write the URLs as JSON once all answer.")] = None,
) -> None:
    """Fake upstreams that speak the vendors' wire, on loopback, for development. Never part of production."""
    from revenueflow.cli.sandbox import serve

    logs.configure()
    run_until_signal(serve(seed, invent_rate, latency, data_dir, ports, ports_file))


def _not_told_twice(record: logging.LogRecord) -> bool:
    # The app has logged it already, without the text of the error.
    return "Exception in ASGI application" not in record.getMessage()


def _started() -> Settings:
    settings = guarded(Settings.load)
    logs.configure(settings.general.log_level)
    guarded(lambda: crash.arm(settings.general.crash_at))
    _allow_many_sockets()
    return settings


def _allow_many_sockets() -> None:
    # With the usual 1,024 a thousand senders that say nothing would keep everybody else out.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # some systems allow less than they say
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _work(settings: Settings) -> None:
    from revenueflow.telemetry.exporter import serve_metrics
    from revenueflow.wiring.services import services
    from revenueflow.workers.worker import work

    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(engine_for(settings.database, application="worker"))
        direct = await stack.enter_async_context(Direct(settings.database, application="runner", size=DIRECT))
        held = await stack.enter_async_context(services(settings, Database(engine), direct))
        stack.enter_context(serve_metrics(settings.worker.metrics_port))
        await work(direct, held, settings)


async def _relay(settings: Settings) -> None:
    from revenueflow.queue.doorbell import Doorbell
    from revenueflow.telemetry.exporter import serve_metrics
    from revenueflow.workers.relay import Relay

    doorbell = Doorbell(settings.redis.url)
    async with Direct(settings.database, application="relay") as direct:
        with serve_metrics(settings.worker.metrics_port):
            try:
                await Relay(direct, doorbell, settings.worker).run()
            finally:
                await asyncio.shield(doorbell.aclose())


async def _seal(settings: Settings) -> None:
    from revenueflow.audit import keys
    from revenueflow.audit.seal import Sealer
    from revenueflow.telemetry.exporter import serve_metrics
    from revenueflow.workers.sealer import run

    url = settings.database.sealer_url
    if url is None:
        raise ConfigurationError("SEALER_DATABASE_URL: is not set (role of the audit sealer)")
    file = settings.keys.audit_key_file
    one = Sealer(keys.signer(file), keys.verifiers(file), settings.keys.checkpoint_file)
    with serve_metrics(settings.worker.metrics_port):
        await run(one, url, settings.seal)
