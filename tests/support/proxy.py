"""A TCP proxy in front of a server, for the moments at which a network fails."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER for which closing sends a RST."""


class Proxy:
    """Forwards connections to (host, port). Listens before it starts: no waiting.

    With `lose_answer_after` set to some bytes, the first request that contains them reaches the server, and the
    connection breaks before the answer arrives: what COMMIT came to is unknown to the client.

    For as long as they are set: `delay` holds each piece of data back for so many seconds; `cut_after` lets a
    connection answer so many bytes more, then it breaks in the middle of the data. See also `stall` and the methods
    that break what is open.
    """

    def __init__(self, host: str, port: int) -> None:
        self.lose_answer_after: bytes | None = None
        self.delay = 0.0
        self.cut_after: int | None = None
        self._flowing = threading.Event()
        self._flowing.set()
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[tuple[socket.socket, socket.socket]] = []
        self._kept: set[socket.socket] = set()

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return int(self._listener.getsockname()[1])

    @property
    def connections(self) -> int:
        """How many it has carried and not broken."""
        return len(self._open)

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._flowing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for pair in self._open:
            for one in pair:
                _close(one)

    def stall(self) -> None:
        """Nothing arrives any more, in neither direction; `flow` lets everything arrive late, as a network would."""
        self._flowing.clear()

    def flow(self) -> None:
        """Ends `stall`."""
        self._flowing.set()

    def reset(self) -> int:
        """Breaks all connections with a RST on both sides; returns how many there were."""
        broken, self._open = self._open, []
        for pair in broken:
            for one in pair:
                with suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    one.shutdown(socket.SHUT_RD)  # wakes whoever reads from it: until then nothing is closed
                one.close()
        return len(broken)

    def half_close(self) -> int:
        """Clients read the end; their servers do not learn of it and keep the session. Returns how many there were."""
        for client, server in self._open:
            self._kept.add(server)
            with suppress(OSError):
                client.shutdown(socket.SHUT_WR)
        return len(self._open)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(self._target)
                except OSError:
                    _close(client)
                    continue
                self._open.append((client, server))
                threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
                threading.Thread(target=self._back, args=(client, server), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                self._travel()
                lost = self.lose_answer_after
                if lost and lost in data:
                    self.lose_answer_after = None
                    _close(client)  # first, or the answer may be quicker
                    server.sendall(data)
                    return
                server.sendall(data)
        self._travel()
        _close(client)
        if server not in self._kept:
            _close(server)

    def _back(self, client: socket.socket, server: socket.socket) -> None:
        # Reads on to the end even if the client is gone, so that the server finishes what it was asked.
        answered = 0
        with suppress(OSError):
            while data := server.recv(65536):
                self._travel()
                left = None if self.cut_after is None else max(0, self.cut_after - answered)
                answered = 0 if left is None else answered + len(data)
                with suppress(OSError):
                    client.sendall(data[:left])
                if left is not None and left < len(data):
                    break
        _close(client)

    def _travel(self) -> None:
        if self.delay:
            time.sleep(self.delay)
        self._flowing.wait()


def _close(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
