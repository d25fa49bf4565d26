"""Embedded Valkey: on loopback TCP, with a password, its data in an append-only file."""

from __future__ import annotations

import secrets
import signal
from pathlib import Path
from typing import ClassVar

import redis

from revenueflow.devserver.binaries import find_valkey
from revenueflow.devserver.errors import StartFailed
from revenueflow.devserver.places import make_folder
from revenueflow.devserver.server import HOST, EmbeddedServer, write_secret

DATABASES = 64
"""Logical databases: tests take one for each of their workers."""


class Valkey(EmbeddedServer):
    """Valkey (or Redis). `data_dir/valkey/` has its configuration, password (mode 0600), log and data.

    It never evicts (`noeviction`): a write over the memory limit fails loudly instead of losing somebody's
    key.
    """

    name: ClassVar[str] = "valkey"
    stop_signals: ClassVar[tuple[signal.Signals, ...]] = (signal.SIGTERM,)

    def __init__(self, data_dir: Path, *, port: int = 0, durable: bool = True) -> None:
        super().__init__(data_dir, port=port, durable=durable)
        self._password = ""
        self._program = Path()

    @property
    def url(self) -> str:
        """`redis://:PASSWORD@127.0.0.1:PORT/0`."""
        return self.database_url(0)

    def database_url(self, number: int) -> str:
        """The URL of one logical database, 0 to DATABASES - 1."""
        return f"redis://:{self._password}@{HOST}:{self.port}/{number}"

    def _prepare(self) -> None:
        self._program = find_valkey()
        make_folder(self.home / "data", None)
        password_file = self.home / "password"
        if not password_file.exists():
            write_secret(password_file, secrets.token_urlsafe(24))
        self._password = password_file.read_text()

    def _command(self, port: int) -> list[str | Path]:
        # In a file: a password on the command line can be read by every user of the machine.
        settings = {
            "bind": HOST,
            "port": str(port),
            "requirepass": self._password,
            "dir": f'"{self.home / "data"}"',
            "databases": str(DATABASES),
            "appendonly": "yes",
            "appendfsync": "everysec" if self.durable else "no",
            "maxmemory-policy": "noeviction",
            "save": '""',
            "daemonize": "no",
        }
        write_secret(self.home / "valkey.conf", "".join(f"{key} {value}\n" for key, value in settings.items()))
        return [self._program, self.home / "valkey.conf"]

    def _answers(self, port: int) -> bool:
        client = redis.Redis(host=HOST, port=port, password=self._password, socket_timeout=2)
        try:
            return bool(client.ping())
        except (redis.AuthenticationError, redis.ResponseError) as error:
            raise StartFailed(f"Valkey refuses us: {error}") from None
        except (redis.ConnectionError, redis.TimeoutError):  # refused, or still reading its file
            return False
        finally:
            client.close()
