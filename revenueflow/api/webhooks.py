"""The webhooks: authenticate, keep, answer. An authenticated sender is never refused for what it sends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import SecretStr

from revenueflow.api import body
from revenueflow.api.deps import State, identify, state_of, trace_of
from revenueflow.api.examples import HUBSPOT_OPENAPI, LEAD_OPENAPI, MARKETO_OPENAPI
from revenueflow.errors import NotAllowed, NotAuthenticated
from revenueflow.sources import generic, hubspot, marketo, signatures
from revenueflow.sources.arrival import Arrival
from revenueflow.sources.ingress import Receipt
from revenueflow.telemetry import metrics

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.post("/marketo", status_code=202, operation_id="receiveMarketo", openapi_extra=MARKETO_OPENAPI)
async def receive_marketo(request: Request) -> Response:
    """Takes a call of a Marketo webhook: flat JSON or a form, with the shared secret in a header."""
    state, began = state_of(request), time.perf_counter()
    config = state.settings.webhooks
    if not signatures.shared_secret(request.headers.get(config.marketo_header), _plain(config.marketo_secrets)):
        raise NotAuthenticated(f"the header {config.marketo_header} does not hold the shared secret")
    raw = await body.read(request, state.settings.api.body_limit)
    delivery = request.headers.get(config.marketo_delivery_header) if config.marketo_delivery_header else None
    arrival = marketo.read(raw, _content_type(request), delivery, state.settings.config_dir)
    return await _keep(state, request, [arrival], began)


@router.post("/lead", status_code=202, operation_id="receiveLead", openapi_extra=LEAD_OPENAPI)
async def receive_lead(request: Request) -> Response:
    """Takes a lead of any sender: Standard Webhooks signature, or an API key with role `ingest`."""
    state, began = state_of(request), time.perf_counter()
    raw = await body.read(request, state.settings.api.body_limit)
    await _authenticate_lead(state, request, raw)
    arrival = generic.read(raw, _content_type(request), request.headers.get("webhook-id"), state.settings.config_dir)
    return await _keep(state, request, [arrival], began)


@router.post("/hubspot", status_code=202, operation_id="receiveHubSpot", openapi_extra=HUBSPOT_OPENAPI)
async def receive_hubspot(request: Request) -> Response:
    """Takes an array of HubSpot events, signed with signature v3 over the public URL."""
    state, began = state_of(request), time.perf_counter()
    raw = await body.read(request, state.settings.api.body_limit)
    _authenticate_hubspot(state, request, raw)
    receipts = await state.ingress.accept(hubspot.read(raw, _content_type(request)), trace_of(request))
    metrics.ingress_ack.observe(time.perf_counter() - began)
    counts = {
        "accepted": sum(one.status in ("accepted", "conflict") for one in receipts),
        "duplicates": sum(one.status == "duplicate" for one in receipts),
        "quarantined": sum(one.status == "quarantined" for one in receipts),
    }
    return _json(counts)


async def _keep(state: State, request: Request, arrivals: Sequence[Arrival], began: float) -> Response:
    receipts = await state.ingress.accept(arrivals, trace_of(request))
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
