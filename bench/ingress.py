"""Our ingress against the plain one, alternately, on the same Postgres and Valkey in the same run.

    python -m bench.ingress --rounds 6 --seconds 8

`ratio` is ours by theirs in each round. Rates are durable answers per second, times are seconds, processor seconds are
for 1,000 leads. `steady` is ours alone at a constant rate.
"""

from __future__ import annotations

import argparse
import statistics
from typing import Any

from bench.stack import Stack, measured, print_json, say, stack
from revenueflow.devserver import secrets
from revenueflow.devserver.server import HOST, free_port


def main() -> None:
    """Measures and prints."""
    args = _arguments()
    with stack() as one:
        one.serve("api")
        plain = _start_plain(one)
        rounds = [_round(one, plain, number, args) for number in range(args.rounds)]
        one.end("plain")
        steady = _ours(one, args, "--rate", str(args.steady), "--duration", str(args.steady_seconds))
    print_json(_figures(args.connections, rounds) | {"steady": steady, "rounds": rounds})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--steady", type=float, default=500, help="leads per second")
    parser.add_argument("--steady-seconds", type=float, default=20)
    return parser.parse_args()


def _start_plain(one: Stack) -> str:
    port = free_port()
    owner = one.backends.urls["MIGRATION_DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")
    redis_url = one.backends.urls["REDIS_URL"].rpartition("/")[0] + "/1"
    command = ["-m", "uvicorn", "bench.plain_ingress:app", "--host", HOST, "--port", str(port), "--no-access-log"]
    secret = secrets.ensure(one.folder).webhooks["marketo"]
    env = {"PLAIN_DATABASE_URL": owner, "PLAIN_REDIS_URL": redis_url, "PLAIN_SECRET": secret}
    one.run("plain", [*command, "--loop", "uvloop", "--http", "httptools"], port, "livez", **env)
    return f"http://{HOST}:{port}"


def _round(one: Stack, plain: str, number: int, args: argparse.Namespace) -> dict[str, Any]:
    """Who begins changes: neither always meets the other's checkpoints."""
    runs = {
        "ours": lambda: _ours(one, args, "--duration", str(args.seconds)),
        "plain": lambda: _drive(one, plain, args, "--duration", str(args.seconds)),
    }
    names = ("ours", "plain") if number % 2 == 0 else ("plain", "ours")
    found = {name: runs[name]() for name in names}
    ratio = round(found["ours"]["rate"] / found["plain"]["rate"], 2)
    say(f"round {number + 1}: {found['ours']['rate']}/s against {found['plain']['rate']}/s: {ratio}")
    return {"ratio": ratio, "ours": found["ours"], "plain": found["plain"]}


def _ours(one: Stack, args: argparse.Namespace, *length: str) -> dict[str, Any]:
    return _drive(one, one.api, args, *length)


def _drive(one: Stack, api: str, args: argparse.Namespace, *length: str) -> dict[str, Any]:
    return measured("ingest", one.ports_file(api), "--connections", str(args.connections), *length)


def _figures(connections: int, rounds: list[dict[str, Any]]) -> dict[str, Any]:
    ratios = [each["ratio"] for each in rounds]
    told: dict[str, Any] = {
        "connections": connections,
        "ratio_median": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratios": ratios,
    }
    for name in ("ours", "plain"):
        runs = [each[name] for each in rounds]
        told[name] = {
            key: round(statistics.median(run[key] for run in runs), 4)
            for key in ("rate", "p50", "p99", "p99_9", "max", "cpu_per_1000_system")
        } | {"errors": sum(run["errors"] + sum(run["refused"].values()) for run in runs)}
    return told


if __name__ == "__main__":
    main()
