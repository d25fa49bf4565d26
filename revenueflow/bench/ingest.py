"""How many leads the ingress takes, how fast it answers each, and what that costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from revenueflow.bench.load import Load, percentiles
from revenueflow.bench.meter import Meter
from revenueflow.bench.plan import Plan
from revenueflow.bench.remote import Generator

DUPLICATE, SPOOLED, ACCEPTED = "duplicate", "spooled", "accepted"


def measure(plan: Plan, pids: Mapping[str, Sequence[int]], say: Callable[[str], None]) -> dict[str, Any]:
    """One run. Raises Unavailable if the API does not answer."""
    with Generator(plan) as generator:
        say(f"warming up with {plan.warmup} leads")
        generator.warm_up()
        say(f"sending over {plan.connections} connections, {_pace(plan)}")
        with Meter(pids) as meter:
            load = generator.run()
    return figures(plan, load) | meter.figures(load.kept, load)


def figures(plan: Plan, load: Load) -> dict[str, Any]:
    """What the answers say; times in seconds, rate in leads that were kept per second."""
    refused = {str(status): count for status, count in sorted(load.statuses.items()) if not 200 <= status < 300}
    usual = (ACCEPTED, DUPLICATE, SPOOLED)
    told: dict[str, Any] = {
        "source": plan.target.source.value,
        "connections": plan.connections,
        "target_rate": plan.rate,
        "sent": load.sent,
        "accepted": load.outcomes[ACCEPTED],
        "duplicates": load.outcomes[DUPLICATE],
        "spooled": load.outcomes[SPOOLED],
        "other": {name: count for name, count in load.outcomes.items() if name not in usual},
        "refused": refused,
        "errors": load.errors,
        "seconds": round(load.seconds, 3),
        "rate": round(load.kept / load.seconds, 1),
        **percentiles(load.latencies),
    }
    return told | {"late_p99": percentiles(load.late)["p99"]} if plan.rate else told


def _pace(plan: Plan) -> str:
    length = f"{plan.requests} leads" if plan.requests else f"for {plan.duration:g} s"
    return f"{plan.rate:g} leads/s, {length}" if plan.rate else f"as fast as they are answered, {length}"
