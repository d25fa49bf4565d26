"""Benchmarks of a running instance."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from revenueflow import defaults
from revenueflow.bench.plan import Instance, Plan, Source, Target, fresh_campaign
from revenueflow.cli.run import FAILED, err, guarded, write_json
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.sla import Sla
from revenueflow.settings import General, Settings

DEFAULT_SECONDS = 10.0

app = typer.Typer(
    help="Put load on a running instance and measure it. Real leads are stored: not for production. Prints JSON.",
    no_args_is_help=True,
)
PORTS_FILE = typer.Option(exists=True, dir_okay=False, help="As `up --ports-file` writes it.")
Kind = Annotated[Source, typer.Option(help="The webhook to send to.")]
Connections = Annotated[int, typer.Option(min=1, max=1000, help="Connections that are kept open.")]
Rate = Annotated[float | None, typer.Option(min=0.1, help="Leads per second; else as fast as they are answered.")]


@app.command()
def ingest(
    ports_file: Annotated[Path | None, PORTS_FILE] = None,
    url: Annotated[str | None, typer.Option(help="The API, instead of --ports-file; with --secret.")] = None,
    secret: Annotated[str | None, typer.Option(help="The webhook's secret.")] = None,
    source: Kind = Source.MARKETO,
    connections: Connections = 64,
    rate: Rate = None,
    duration: Annotated[float | None, typer.Option(min=0.1, max=3600, help="Seconds; 10 if nothing is said.")] = None,
    requests: Annotated[int | None, typer.Option(min=1, help="Leads to send, instead of --duration.")] = None,
    warmup: Annotated[int, typer.Option(min=0, help="Leads before those that are measured.")] = 500,
) -> None:
    """How fast leads are taken in: rate, times until the answer, and processor time and memory of every process.

    With --rate, times count from when a lead was to be sent, whatever held it up.

    Examples:

    revenueflow bench ingest --ports-file ports.json --connections 64 --duration 20

    revenueflow bench ingest --ports-file ports.json --rate 500 --duration 30

    revenueflow bench ingest --url http://127.0.0.1:8000 --secret "$MARKETO_WEBHOOK_SECRET" --requests 20000
    """
    from revenueflow.bench import ingest

    if requests and duration:
        raise typer.BadParameter("--requests and --duration: only one of them")
    target, pids = guarded(lambda: _target(ports_file, url, secret, source))
    length = None if requests else duration or DEFAULT_SECONDS
    plan = Plan(
        target=target, campaign=fresh_campaign(), connections=connections, warmup=warmup, requests=requests,
        duration=length, rate=rate, limit=(length or 600) + 30,
    )  # fmt: skip
    measured = guarded(lambda: ingest.measure(plan, pids, _say))
    _print(measured, ok=measured["accepted"] + measured["spooled"] > 0)


@app.command()
def pipeline(
    ports_file: Annotated[Path, PORTS_FILE],
    leads: Annotated[int, typer.Option(min=1, help="Leads to send.")] = 1000,
    rate: Rate = None,
    in_flight: Annotated[int | None, typer.Option(min=1, help="Leads in the system at a time.")] = None,
    floor: Annotated[float | None, typer.Option(min=0, help="Seconds that upstreams take of each lead.")] = None,
    warmup: Annotated[int, typer.Option(min=0, help="Leads before those that are measured.")] = 20,
    connections: Connections = 16,
    source: Kind = Source.MARKETO,
    limit: Annotated[float, typer.Option(min=1, max=86400, help="Seconds after which it gives up.")] = 600,
) -> None:
    """How fast leads are processed: rate, time in the system, and processor time and memory of every process.

    Without --rate and --in-flight all leads are sent at once, and wait for the worker.

    Examples:

    revenueflow bench pipeline --ports-file ports.json --leads 2000

    revenueflow bench pipeline --ports-file ports.json --leads 4000 --in-flight 200

    revenueflow bench pipeline --ports-file ports.json --leads 3000 --rate 50 --floor 1.47
    """
    from revenueflow.bench import pipeline

    if rate and in_flight:
        raise typer.BadParameter("--rate and --in-flight: only one of them")
    instance = guarded(lambda: Instance.read(ports_file))
    target = guarded(lambda: instance.target(source))
    plan = Plan(
        target=target, campaign=fresh_campaign(), connections=connections, warmup=warmup, requests=leads, rate=rate,
        window=in_flight, database_url=instance.database_url, limit=limit,
    )  # fmt: skip
    work = pipeline.measure(plan, instance.processes(), _say, floor=floor)
    measured = guarded(lambda: asyncio.run(work))
    _print(measured, ok=measured["unfinished"] == 0 and measured["dead"] == 0 and measured["processed"] > 0)


@app.command()
def touch(
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Months to simulate, with the seeds 1, 2, ….")] = 5,
    assume: Annotated[
        list[str] | None, typer.Option("--assume", metavar="NAME=VALUE", help="Another assumption; JSON, or text.")
    ] = None,
    sensitivity: Annotated[bool, typer.Option(help="Change one after the other, and say what that does.")] = False,
) -> None:
    """How long leads wait for a first touch, with us and without: a month, simulated. Nothing needs to run for it.

    Times are minutes around the clock. What is assumed is printed with it, and explained in docs/speed-to-lead.md.

    Examples:

    revenueflow bench touch

    revenueflow bench touch --assume leads_per_day=120 --assume "rounds=[9, 13]" --sensitivity
    """
    from revenueflow.bench.touch.assumptions import Assumptions
    from revenueflow.bench.touch.measure import Simulation

    def run() -> dict[str, Any]:
        folder = Settings.only(General).config_dir
        routing, sla = defaults.load(RoutingRules, "routing.toml", folder), defaults.load(Sla, "sla.toml", folder)
        given = Assumptions().changed(_assumed(assume or []))
        return Simulation(routing, sla, range(1, seeds + 1)).measure(given, _say, sensitivity=sensitivity)

    write_json(guarded(run))


def _assumed(given: list[str]) -> dict[str, Any]:
    pairs = (one.partition("=") for one in given)
    return {name.strip(): _value(value.strip()) for name, _, value in pairs}


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _target(
    ports_file: Path | None, url: str | None, secret: str | None, source: Source
) -> tuple[Target, dict[str, list[int]]]:
    if ports_file:
        instance = Instance.read(ports_file)
        return instance.target(source), instance.processes()
    if not url or not secret:
        raise typer.BadParameter("--ports-file, or --url and --secret, must be given")
    return Target.at(url, source, secret), {}


def _say(line: str) -> None:
    err.print(line, markup=False, style="dim")


def _print(measured: dict[str, Any], *, ok: bool) -> None:
    write_json(measured)
    if not ok:
        raise typer.Exit(FAILED)
