"""What the program loads at a start, loaded once: by the process that others are forked from (`forks`)."""

from __future__ import annotations

import gc
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from revenueflow import cli

LOADED: Final = (
    *(f"revenueflow.cli.{one.name}" for one in iter_modules(cli.__path__)), "uvicorn", "uvloop",
    "revenueflow.analysis.models.bedrock", "revenueflow.analysis.models.vertex", "revenueflow.analysis.models.gemini",
    "revenueflow.api.app", "revenueflow.api.deadlines", "revenueflow.db.migrate", "revenueflow.sandbox.server",
    "revenueflow.wiring.services", "revenueflow.workers.relay", "revenueflow.workers.worker",
)  # fmt: skip


def load() -> None:
    """All of it, and what is worked out at the first use."""
    for name in LOADED:
        import_module(name)
    from revenueflow.enrichment import domains
    from revenueflow.resilience.http import tls

    domains.registrable("warm.example")
    domains.email_domains()
    tls()


gc.disable()
load()
gc.freeze()
gc.enable()
