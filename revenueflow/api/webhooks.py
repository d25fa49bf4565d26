"""The webhooks: authenticate, keep, answer. An authenticated sender is never refused for what it sends."""

from __future__ import annotations

import inspect
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from revenueflow.api import body
from revenueflow.api.deps import State, identify, state_of, trace_of
from revenueflow.api.examples import HUBSPOT_OPENAPI, LEAD_OPENAPI, MARKETO_OPENAPI
from revenueflow.errors import NotAllowed, NotAuthenticated
from revenueflow.sources import generic, hubspot, marketo, signatures
from revenueflow.sources.arrival import Arrival
from revenueflow.sources.storing import Receipt
from revenueflow.telemetry import metrics

PREFIX = "/webhooks/"
ENCODED = "content_encoding"
"""Why a compressed body is in quarantine: we do not inflate what strangers send."""


async def receive_marketo(request: Request) -> Response:
    """Takes a call of a Marketo webhook: flat JSON or a form, with the shared secret in a header."""
    state, began = state_of(request), time.perf_counter()
    config = state.settings.webhooks
    if not signatures.shared_secret(request.headers.get(config.marketo_header), _plain(config.marketo_secrets)):
        raise NotAuthenticated(f"the header {config.marketo_header} does not hold the shared secret")
    raw = await body.read(request, state.settings.api.body_limit)
    delivery = request.headers.get(config.marketo_delivery_header) if config.marketo_delivery_header else None
    arrival = marketo.read(raw, _content_type(request), delivery, state.settings.config_dir)
    return await _keep(state, request, arrival, began)


async def receive_lead(request: Request) -> Response:
    """Takes a lead of any sender: Standard Webhooks signature, or an API key with role `ingest`."""
    state, began = state_of(request), time.perf_counter()
    raw = await body.read(request, state.settings.api.body_limit)
    await _authenticate_lead(state, request, raw)
    arrival = generic.read(raw, _content_type(request), request.headers.get("webhook-id"), state.settings.config_dir)
    return await _keep(state, request, arrival, began)


async def receive_hubspot(request: Request) -> Response:
    """Takes an array of HubSpot events, signed with signature v3 over the public URL."""
    state, began = state_of(request), time.perf_counter()
    raw = await body.read(request, state.settings.api.body_limit)
    _authenticate_hubspot(state, request, raw)
    if body.is_encoded(request):
        arrivals = [hubspot.quarantined(raw, _content_type(request), ENCODED)]
    else:
        arrivals = hubspot.read(raw, _content_type(request))
    receipts = await state.ingress.accept(arrivals, trace_of(request))
    metrics.ingress_ack.observe(time.perf_counter() - began)
    counts = {
        "accepted": sum(one.status in ("accepted", "conflict", "spooled") for one in receipts),
        "duplicates": sum(one.status == "duplicate" for one in receipts),
        "quarantined": sum(one.status == "quarantined" for one in receipts),
    }
    return _json(counts)


# Plain routes: FastAPI's own handling would cost more than everything else that is done for a lead here.
ROUTES = (
    (Route(f"{PREFIX}marketo", receive_marketo, methods=["POST"], name="receiveMarketo"), MARKETO_OPENAPI),
    (Route(f"{PREFIX}hubspot", receive_hubspot, methods=["POST"], name="receiveHubSpot"), HUBSPOT_OPENAPI),
    (Route(f"{PREFIX}lead", receive_lead, methods=["POST"], name="receiveLead"), LEAD_OPENAPI),
)


def openapi_paths() -> dict[str, Any]:
    """The path items of the webhooks, which FastAPI does not know as its own."""
    return {route.path: {"post": _operation(route) | more} for route, more in ROUTES}


def _operation(route: Route) -> dict[str, Any]:
    about = inspect.getdoc(route.endpoint) or ""
    summary = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in route.name)
    return {
        "operationId": route.name,
        "tags": ["webhooks"],
        "summary": summary.strip().capitalize(),
        "description": about,
    }


async def _keep(state: State, request: Request, arrival: Arrival, began: float) -> Response:
    if body.is_encoded(request):
        arrival = replace(arrival, understood=None, reason=ENCODED)
    receipts = await state.ingress.accept([arrival], trace_of(request))
    metrics.ingress_ack.observe(time.perf_counter() - began)
    return _json(answer(receipts[0]))


def answer(receipt: Receipt) -> dict[str, Any]:
    """The flat answer to one lead; Marketo can map its fields back."""
    return {
        "lead_id": str(receipt.lead_id) if receipt.lead_id else None,
        "delivery_id": str(receipt.delivery_id),
        "status": receipt.status,
        "duplicate": receipt.duplicate,
    }


async def _authenticate_lead(state: State, request: Request, raw: bytes) -> None:
    headers, config = request.headers, state.settings.webhooks
    if headers.get("webhook-signature"):
        if not signatures.standard_webhook(
            message_id=headers.get("webhook-id"),
            timestamp=headers.get("webhook-timestamp"),
            signatures=headers.get("webhook-signature"),
            body=raw,
            secrets=_plain(config.standard_secrets),
            now=time.time(),
            tolerance=config.tolerance,
        ):
            raise NotAuthenticated("the Standard Webhooks signature does not fit, or is too old")
        return
    scheme, _, key = headers.get("authorization", "").partition(" ")
    principal = await identify(state, key if scheme.lower() == "bearer" else None)
    if principal.role not in ("ingest", "admin"):
        raise NotAllowed(f"role {principal.role} may not send leads; it needs ingest")


def _authenticate_hubspot(state: State, request: Request, raw: bytes) -> None:
    config, query = state.settings.webhooks, request.url.query
    public = state.settings.api.public_url.rstrip("/") + request.url.path
    if not signatures.hubspot_v3(
        method=request.method,
        url=f"{public}?{query}" if query else public,
        body=raw,
        timestamp=request.headers.get("x-hubspot-request-timestamp"),
        signature=request.headers.get("x-hubspot-signature-v3"),
        secrets=_plain(config.hubspot_secrets),
        now=time.time(),
        tolerance=config.tolerance,
    ):
        raise NotAuthenticated("the HubSpot signature v3 does not fit, or is too old; check REVENUEFLOW_PUBLIC_URL")


def _plain(secrets: Sequence[SecretStr]) -> list[str]:
    return [secret.get_secret_value() for secret in secrets]


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "")


def _json(value: dict[str, Any]) -> Response:
    return Response(orjson.dumps(value), 202, media_type="application/json")
