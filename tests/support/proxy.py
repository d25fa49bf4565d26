"""A TCP proxy in front of a server, for the moments at which a network fails."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class Proxy:
    """Forwards connections to (host, port). Listens before it starts: no waiting.

    With `lose_answer_after` set to some bytes, the first request that contains them reaches the server, and the
    connection breaks before the answer arrives: what COMMIT came to is unknown to the client.
    """

    def __init__(self, host: str, port: int) -> None:
        self.lose_answer_after: bytes | None = None
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            _close(one)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._open += [client, server]
                threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
                threading.Thread(target=self._back, args=(client, server), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                lost = self.lose_answer_after
                if lost and lost in data:
                    self.lose_answer_after = None
                    _close(client)  # first, or the answer may be quicker
                    server.sendall(data)
                    return
                server.sendall(data)
        _close(client)
        _close(server)

    def _back(self, client: socket.socket, server: socket.socket) -> None:
        # Reads on to the end even if the client is gone, so that the server finishes what it was asked.
        with suppress(OSError):
            while data := server.recv(65536):
                with suppress(OSError):
                    client.sendall(data)
        _close(client)


def _close(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
