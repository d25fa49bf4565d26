"""What a process of the system would load at each start: loaded once, by the process that it is forked from."""

from __future__ import annotations

import gc

import uvicorn
import uvloop

import revenueflow.api.app
import revenueflow.api.deadlines
import revenueflow.cli.main
import revenueflow.cli.sandbox
import revenueflow.cli.serve
import revenueflow.sandbox.server
import revenueflow.wiring.services
import revenueflow.workers.relay
import revenueflow.workers.worker
from revenueflow.enrichment.domains import email_domains, registrable
from revenueflow.resilience.http import tls

__all__ = ["revenueflow", "uvicorn", "uvloop"]

registrable("warm.example")
email_domains()
tls()
gc.freeze()
