"""Sends the sample as its senders would: Marketo, HubSpot, a signed form and a CSV file, over real HTTP."""

from __future__ import annotations

import asyncio
import hmac
import time
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any
from uuid import uuid5

import httpx2
import orjson

from revenueflow.devserver.errors import StartFailed
from revenueflow.devserver.services import NO_TLS
from revenueflow.privacy.identity import DELIVERY_NAMESPACE
from revenueflow.sandbox.sample import CSV, SampleLead

HUBSPOT_BATCH = 10
AT_ONCE = 8


class Senders:
    """All senders of one API, with their secrets."""

    def __init__(self, api_url: str, secrets: Mapping[str, str], ingest_key: str) -> None:
        self._api = api_url
        self._secrets = secrets
        self._key = ingest_key
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def send(self, sample: Sequence[SampleLead]) -> int:
        """Sends everything; returns the number of deliveries. Raises StartFailed if one is not accepted."""
        via: dict[str, list[dict[str, Any]]] = {"marketo": [], "hubspot": [], "lead": [], "csv": []}
        for lead in sample:
            via[lead.via].append(dict(lead.payload))
        async with httpx2.AsyncClient(base_url=self._api, timeout=10, trust_env=False, verify=NO_TLS) as client:
            requests: list[Awaitable[None]] = [
                *(self._marketo(client, payload) for payload in via["marketo"]),
                *(self._lead(client, payload) for payload in via["lead"]),
                *(self._hubspot(client, batch) for batch in _batches(via["hubspot"], HUBSPOT_BATCH)),
                self._csv(client),
            ]
            await asyncio.gather(*requests)
        return len(sample)

    async def _marketo(self, client: httpx2.AsyncClient, payload: dict[str, Any]) -> None:
        headers = {"X-RevenueFlow-Secret": self._secrets["marketo"], "content-type": "application/json"}
        await self._post(client, "/webhooks/marketo", orjson.dumps(payload), headers)

    async def _lead(self, client: httpx2.AsyncClient, payload: dict[str, Any]) -> None:
        body, stamp = orjson.dumps(payload), str(int(time.time()))
        # The same payload again is the same message again, as from a sender that tries twice.
        message = f"msg_{uuid5(DELIVERY_NAMESPACE, body.decode()).hex}"
        key = b64decode(self._secrets["lead"].removeprefix("whsec_"))
        signed = hmac.digest(key, f"{message}.{stamp}.".encode() + body, sha256)
        headers = {
            "webhook-id": message,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{b64encode(signed).decode()}",
            "content-type": "application/json",
        }
        await self._post(client, "/webhooks/lead", body, headers)

    async def _hubspot(self, client: httpx2.AsyncClient, events: list[dict[str, Any]]) -> None:
        body, stamp = orjson.dumps(events), str(int(time.time() * 1000))
        signed = b"POST" + f"{self._api}/webhooks/hubspot".encode() + body + stamp.encode()
        signature = b64encode(hmac.digest(self._secrets["hubspot"].encode(), signed, sha256)).decode()
        headers = {
            "X-HubSpot-Request-Timestamp": stamp,
            "X-HubSpot-Signature-v3": signature,
            "content-type": "application/json",
        }
        await self._post(client, "/webhooks/hubspot", body, headers)

    async def _csv(self, client: httpx2.AsyncClient) -> None:
        form = {"file": (CSV.name, CSV.read_bytes(), "text/csv")}
        async with self._gate:
            answer = await client.post("/v1/imports", files=form, headers={"authorization": f"Bearer {self._key}"})
        _must_be_accepted(answer)

    async def _post(self, client: httpx2.AsyncClient, path: str, body: bytes, headers: dict[str, str]) -> None:
        async with self._gate:
            answer = await client.post(path, content=body, headers=headers)
        _must_be_accepted(answer)


def _must_be_accepted(answer: httpx2.Response) -> None:
    if answer.status_code != 202:
        raise StartFailed(f"{answer.request.url.path} answered {answer.status_code} instead of 202")


def _batches(items: list[dict[str, Any]], size: int) -> list[list[dict[str, Any]]]:
    rest = iter(items)
    return list(iter(lambda: list(islice(rest, size)), []))
