"""The real pipeline against upstreams that answer at once, against slow ones, and at a steady rate.

    python -m bench.pipeline

`at_once`: what a lead costs us when upstreams take no time. `in_flight`: leads per second with so many in the system
and upstreams of 150 ms (enrichment), 1.2 s (model) and four CRM calls of 30 ms. `steady`: the time in the system at a
constant rate, less the upstreams' own.
"""

from __future__ import annotations

import argparse
from typing import Any

import httpx2

from bench.stack import Stack, measured, print_json, stack
from revenueflow.devserver.server import HOST, free_port

AT_ONCE = {"enrich": 0.0, "model": 0.0, "crm": 0.0}
SLOW = {"enrich": 0.15, "model": 1.2, "crm": 0.03}
CRM_CALLS = 4
"""upsert_lead, set_lead_score, assign_owner and create_task, one after the other."""
FLOOR = round(SLOW["enrich"] + SLOW["model"] + CRM_CALLS * SLOW["crm"], 3)


def main() -> None:
    """Measures and prints."""
    args = _arguments()
    with stack() as one:
        upstreams = _start_upstreams(one)
        for name in ("api", "relay", "worker"):
            one.serve(name, **_environment(upstreams), REVENUEFLOW_WORKER_CONCURRENCY=str(args.in_flight))
        at_once = _measure(one, upstreams, AT_ONCE, args.leads)
        slow = _measure(one, upstreams, SLOW, args.slow_leads, "--in-flight", str(args.in_flight))
        pace = ("--rate", str(args.rate), "--floor", str(FLOOR))
        steady = _measure(one, upstreams, SLOW, round(args.rate * args.seconds), *pace)
        seen = httpx2.get(f"{upstreams}/latency", trust_env=False).json()["requests"]
    print_json(_figures(args, at_once, slow, steady) | {"upstream_requests": seen})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--leads", type=int, default=3000, help="with upstreams that answer at once")
    parser.add_argument("--slow-leads", type=int, default=5000, help="with slow upstreams")
    parser.add_argument("--in-flight", type=int, default=200)
    parser.add_argument("--rate", type=float, default=50, help="leads per second of the steady run")
    parser.add_argument("--seconds", type=float, default=60, help="length of the steady run")
    return parser.parse_args()


def _start_upstreams(one: Stack) -> str:
    port = free_port()
    one.run("upstreams", ["-m", "bench.upstreams", "--port", str(port)], port, "latency")
    return f"http://{HOST}:{port}"


def _environment(upstreams: str) -> dict[str, str]:
    key = "bench"
    return {
        "CRM_PROVIDER": "http",
        "CRM_BASE_URL": f"{upstreams}/crm",
        "CRM_TOKEN": key,
        "CRM_REQUESTS_PER_MINUTE": "0",
        "ANALYSIS_PROVIDER": "gemini",
        "GEMINI_API_KEY": key,
        "GOOGLE_GEMINI_BASE_URL": f"{upstreams}/gemini",
        "CLEARBIT_API_KEY": key,
        "CLEARBIT_BASE_URL": f"{upstreams}/clearbit",
        "CLEARBIT_PERSON_BASE_URL": f"{upstreams}/clearbit",
        "HUNTER_API_KEY": key,
        "HUNTER_BASE_URL": f"{upstreams}/hunter",
        "SLACK_BOT_TOKEN": key,
        "SLACK_BASE_URL": f"{upstreams}/slack",
    }


def _measure(one: Stack, upstreams: str, latency: dict[str, float], leads: int, *more: str) -> dict[str, Any]:
    httpx2.put(f"{upstreams}/latency", json=latency, trust_env=False).raise_for_status()
    return measured("pipeline", one.ports_file(), "--leads", str(leads), "--warmup", "100", *more)


def _figures(
    args: argparse.Namespace, at_once: dict[str, Any], slow: dict[str, Any], steady: dict[str, Any]
) -> dict[str, Any]:
    cpu = at_once["cpu_per_1000"]  # seconds for 1,000 leads: milliseconds for one
    ours = {name: used for name, used in cpu.items() if name not in ("generator", "upstreams")}
    return {
        "worker_cpu_ms_per_lead": cpu.get("worker"),
        "all_cpu_ms_per_lead": round(sum(ours.values()), 3),
        "upstreams_cpu_ms_per_lead": cpu.get("upstreams"),
        "in_flight_rate": slow["rate"],
        "in_flight_steady_rate": slow["steady_rate"],
        "in_flight_most": round(args.in_flight / FLOOR, 1),
        "steady_own_p95": steady["own_time"]["p95"],
        "worker_memory_mib": max(each["peak_memory_mib"].get("worker", 0) for each in (at_once, slow, steady)),
        "at_once": at_once,
        "in_flight": slow,
        "steady": steady,
    }


if __name__ == "__main__":
    main()
