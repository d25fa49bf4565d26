"""/metrics of a process that serves no HTTP otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server


@contextmanager
def serve_metrics(port: int) -> Iterator[None]:
    """Serves /metrics on `port` of all addresses while the block runs; nothing if it is 0."""
    if port == 0:
        yield
        return
    server, thread = start_http_server(port)
    try:
        yield
    finally:
        server.shutdown()
        thread.join(timeout=2)
