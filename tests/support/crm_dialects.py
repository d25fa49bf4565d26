"""The CRM providers over their wires: against the sandbox, or a server that answers as a test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from revenueflow import defaults
from revenueflow.crm.base import Crm
from revenueflow.crm.http import HttpCrm
from revenueflow.crm.hubspot.crm import HubSpot
from revenueflow.crm.mapping import CrmMap
from revenueflow.crm.salesforce.crm import Salesforce
from revenueflow.crm.salesforce.session import Session
from revenueflow.domain.action import record_key
from revenueflow.resilience.upstream import HttpUpstream
from tests.support.vendor_server import Answerer, fixed

SECRET = "crm-secret-canary"
TIMEOUT = 0.4
"""Seconds for one try: long enough for loopback, short enough for the time-out cases."""


def lead_of(number: int = 0) -> tuple[UUID, UUID]:
    """A lead's id and the key of its record."""
    lead = UUID(int=number) if number else uuid4()
    return lead, record_key(lead, "lead")


def _http(url: str, timeout: float) -> tuple[Crm, HttpUpstream]:
    upstream = HttpUpstream("http", url, headers={"authorization": f"Bearer {SECRET}"}, timeout=timeout)
    return HttpCrm(upstream), upstream


def _salesforce(url: str, timeout: float) -> tuple[Crm, HttpUpstream]:
    upstream = HttpUpstream("salesforce", url, timeout=timeout)
    table = defaults.load(CrmMap, "salesforce.toml")
    return Salesforce(Session(upstream, "client", SECRET), table, version="v68.0"), upstream


def _hubspot(url: str, timeout: float) -> tuple[Crm, HttpUpstream]:
    upstream = HttpUpstream("hubspot", url, headers={"authorization": f"Bearer {SECRET}"}, timeout=timeout)
    return HubSpot(upstream, defaults.load(CrmMap, "hubspot.toml")), upstream


async def _token(_: Request) -> Response:
    return JSONResponse({"access_token": SECRET, "instance_url": "https://elsewhere.example"})


@dataclass(frozen=True)
class Dialect:
    """One provider. `upstream` names it in the sandbox, `quota` is how it says that it is used too much.

    `beside` is what it serves besides records, by path; `refused` is how often a call with a bad key is made.
    """

    name: str
    upstream: str
    make: Callable[[str, float], tuple[Crm, HttpUpstream]]
    quota: Answerer
    beside: Mapping[str, Answerer] = field(default_factory=dict)
    refused: int = 1
    largest: int = 1


DIALECTS = (
    Dialect("http", "crm", _http, fixed(429, {}, **{"retry-after": "7"})),
    Dialect(
        "salesforce",
        "salesforce",
        _salesforce,
        fixed(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]),
        {"/services/oauth2/token": _token},
        refused=2,
        largest=200,
    ),
    Dialect(
        "hubspot",
        "hubspot",
        _hubspot,
        fixed(429, {"status": "error", "category": "RATE_LIMITS", "policyName": "TEN_SECONDLY_ROLLING"}),
        largest=100,
    ),
)
