"""Senders as they are: they send again, with the same body, whatever was not answered 2xx."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from tests.faults.system import System

CANARY = "zqcanary"
"""In every email and name: it must occur nowhere but in the tables of leads, in vendors' requests and in the CRM."""
DEADLINE = 60.0


@dataclass(frozen=True, slots=True)
class Ack:
    """A 2xx: what it promised, how long this try took, and how many tries there were."""

    lead_id: str
    delivery_id: str
    status: str
    seconds: float
    tries: int


@dataclass(slots=True)
class Sent:
    """What was acknowledged, and how many answers were no 2xx."""

    acks: list[Ack] = field(default_factory=list)
    refused: int = 0

    @property
    def leads(self) -> set[str]:
        """Every lead that was promised."""
        return {ack.lead_id for ack in self.acks}

    def p99(self) -> float:
        """Seconds."""
        ordered = sorted(ack.seconds for ack in self.acks)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] if ordered else 0.0


def bodies(tag: str, count: int, seed: int) -> list[bytes]:
    """Deliveries about fewer people: some repeated as they are, some about the same person with another message."""
    dice = random.Random(seed)
    people = [f"{CANARY}.{tag}.{n}" for n in range(count)]
    made: list[bytes] = []
    for who in people:
        body = _body(who, "We need pricing for 40 seats this quarter.")
        made += [body] * dice.choice((1, 1, 1, 2))
        if dice.random() < 0.2:
            made.append(_body(who, f"Another question {dice.random()}"))
    dice.shuffle(made)
    return made


def _body(who: str, message: str) -> bytes:
    return orjson.dumps(
        {"email": f"{who}@larkvale-systems.example", "name": f"{CANARY} Reyes", "jobTitle": "VP Operations",
         "company": "Larkvale Systems", "country": "US", "message": message}
    )  # fmt: skip


async def _send_one(session: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str], sent: Sent) -> None:
    tries, end = 0, time.monotonic() + DEADLINE
    while time.monotonic() < end:
        tries += 1
        begun = time.perf_counter()
        try:
            async with session.post(url, data=body, headers=headers) as answer:
                told: dict[str, Any] = orjson.loads(await answer.read()) if answer.status < 300 else {}
        except (aiohttp.ClientError, OSError, TimeoutError):
            sent.refused += 1
        else:
            if told:
                took = time.perf_counter() - begun
                sent.acks.append(Ack(told["lead_id"], told["delivery_id"], told["status"], took, tries))
                return
            sent.refused += 1
        await asyncio.sleep(0.05)
    raise TimeoutError(f"a lead was not accepted within {DEADLINE} s")


async def _send(
    system: System, made: list[bytes], at_once: int, pause: float, sent: Sent, stop: threading.Event
) -> None:
    headers = {"x-revenueflow-secret": system.secrets.webhooks["marketo"], "content-type": "application/json"}
    gate = asyncio.Semaphore(at_once)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:

        async def one(body: bytes) -> None:
            async with gate:
                if not stop.is_set():
                    await _send_one(session, f"{system.api_url}/webhooks/marketo", body, headers, sent)
                    await asyncio.sleep(pause)

        await asyncio.gather(*(one(body) for body in made))


def send(system: System, tag: str, *, count: int = 12, seed: int = 0, at_once: int = 8) -> Sent:
    """Sends and returns when everything is acknowledged."""
    sent = Sent()
    asyncio.run(_send(system, bodies(tag, count, seed), at_once, 0, sent, threading.Event()))
    return sent


@contextmanager
def sending(
    system: System, tag: str, *, count: int = 3000, seed: int = 0, at_once: int = 8, pause: float = 0.01
) -> Iterator[Sent]:
    """Sends while the block runs; what is under way at its end is finished."""
    sent, stop = Sent(), threading.Event()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(_send(system, bodies(tag, count, seed), at_once, pause, sent, stop))
        except TimeoutError as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield sent
    finally:
        stop.set()
        thread.join(DEADLINE + 10)
    if failed:
        raise failed[0]
