"""The one place where requests are written down and faults happen, around every upstream's app."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from revenueflow.sandbox.dice import Dice
from revenueflow.sandbox.faults import DEFAULT_STATUS, Faults
from revenueflow.sandbox.journal import Entry, packed
from revenueflow.sandbox.state import State

Refusal = Callable[[int, str], Response]
"""An error in the vendor's own form, for a status and a short reason: `fault`, or `quota`."""

LONGEST_HOLD: Final = 60.0
KEY: Final = "sandbox"
ABORT: Final = "sandbox.abort"


@dataclass(slots=True)
class Exchange:
    """One request on its way through. An app that leaves a `text` has that in the journal."""

    faults: Faults
    dice: Dice
    entry: Entry
    text: str | None = None
    sent: list[Message] = field(default_factory=list)

    @property
    def answer(self) -> bytes:
        """The body of the answer."""
        return b"".join(message.get("body", b"") for message in self.sent)


def exchange_of(request: Request) -> Exchange:
    """The exchange that a request belongs to."""
    exchange = request.scope[KEY]
    assert isinstance(exchange, Exchange)
    return exchange


class Upstream:
    """An upstream's app with its faults. `quota_status` is how the vendor says that a quota is used up."""

    def __init__(self, name: str, app: ASGIApp, state: State, refuse: Refusal, quota_status: int = 429) -> None:
        self.name = name
        self._app = app
        self._state = state
        self._refuse = refuse
        self._quota_status = quota_status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return None
        body = await _body(receive)
        if body is None:
            return None
        exchange = self._exchange(scope, body)
        await self._pause(exchange)
        if exchange.dice.happens("timeout", exchange.faults.timeout_rate):
            exchange.entry.fault = "timeout"
            await _hold(receive)
            return await _abort(scope, receive)
        await self._answered(exchange, scope, body)
        if exchange.entry.fault == "lost":
            return await _abort(scope, receive)
        exchange.entry.status = exchange.sent[0]["status"]
        for message in exchange.sent:
            await send(message)
        return None

    def _exchange(self, scope: Scope, body: bytes) -> Exchange:
        path = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
        dice = self._state.counter.dice(self.name, scope["method"], path, body)
        entry = self._state.journal.add(self.name, scope["method"], path, scope["headers"], body)
        return Exchange(self._state.faults[self.name], dice, entry)

    async def _pause(self, exchange: Exchange) -> None:
        faults = exchange.faults
        wait = faults.latency_ms + exchange.dice.roll("jitter") * faults.jitter_ms
        if wait:
            await asyncio.sleep(wait / 1000)

    async def _answered(self, exchange: Exchange, scope: Scope, body: bytes) -> None:
        """Fills `sent`, and writes down what was, or would have been, answered."""
        refusal = self._refused(exchange)
        await _run(refusal or self._app, exchange, scope, body)
        if refusal is None and exchange.dice.happens("lose_answer", exchange.faults.lose_answer_rate):
            await self._lose(exchange, scope, body)
        text = None if exchange.text is None else exchange.text.encode()
        exchange.entry.answer = packed(exchange.answer if text is None else text)

    def _refused(self, exchange: Exchange) -> Response | None:
        faults = exchange.faults
        if faults.quota is not None and self._state.answered[self.name] >= faults.quota:
            exchange.entry.fault = "quota"
            return self._refuse(self._quota_status, "quota")
        self._state.answered[self.name] += 1
        if exchange.dice.happens("error", faults.error_rate):
            exchange.entry.fault = "error"
            return self._refuse(faults.status or DEFAULT_STATUS, "fault")
        return None

    async def _lose(self, exchange: Exchange, scope: Scope, body: bytes) -> None:
        faults = exchange.faults
        if faults.status is None or faults.error_rate > 0:
            exchange.entry.fault = "lost"
            return
        exchange.entry.fault = "error_after_effect"
        exchange.sent.clear()
        await _run(self._refuse(faults.status, "fault"), exchange, scope, body)


async def _run(app: ASGIApp, exchange: Exchange, scope: MutableMapping[str, Any], body: bytes) -> None:
    """Runs an app on a body that was read already, and keeps what it sends."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        exchange.sent.append(message)

    await app({**scope, KEY: exchange}, receive, send)


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None if the client went away."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _hold(receive: Receive) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_HOLD):
            await _gone(receive)


async def _abort(scope: Scope, receive: Receive) -> None:
    """Closes the connection without an answer."""
    abort = scope.get(ABORT)
    if abort is not None:
        abort()
        await _gone(receive)


async def _gone(receive: Receive) -> None:
    """Until the client is."""
    while (await receive())["type"] != "http.disconnect":
        pass
