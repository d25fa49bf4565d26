"""A loopback proxy that adds one header to each request, for a client that can't send it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def with_header(name: str, value: str, port: int) -> Iterator[int]:
    """Listens on the port that it yields, and forwards to `port` of loopback.

    One request a connection. All other bytes are passed on as they came: header names, their case and white space are
    what the client is trying out.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    line = f"{name}: {value}\r\nConnection: close\r\n".encode()

    open_now: set[asyncio.Task[None]] = set()  # nothing else holds on to a task that waits for its client

    def accept(there: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = loop.create_task(_forward(there, back, port, line))
        open_now.add(task)
        task.add_done_callback(open_now.discard)

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(accept, "127.0.0.1", 0)

    async def end(server: asyncio.Server) -> None:
        server.close()
        for task in open_now:
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        asyncio.run_coroutine_threadsafe(end(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _forward(client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter, port: int, added: bytes) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        head = await client_in.readuntil(b"\r\n\r\n")
        first, *rest = head.split(b"\r\n")
        kept = [line for line in rest if not line.lower().startswith(b"connection:")]
        server_in, server_out = await asyncio.open_connection("127.0.0.1", port)
        server_out.write(first + b"\r\n" + added + b"\r\n".join(kept))
        sending = asyncio.create_task(_pump(client_in, server_out))
        await _pump(server_in, client_out)
        sending.cancel()
        server_out.close()
    client_out.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
