"""What reached the upstreams: the last 20,000 requests, without secrets."""

from __future__ import annotations

import re
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

MOST_ENTRIES: Final = 20_000
MOST_BYTES: Final = 65_536
SECRET_HEADERS: Final = frozenset(
    {b"authorization", b"x-api-key", b"x-goog-api-key", b"cookie", b"proxy-authorization"}
)
SECRET_PARAMETER: Final = re.compile(r"(?i)\b(api_key|key|token|access_token)=[^&]*")


def now() -> str:
    """RFC 3339, UTC, microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def packed(body: bytes) -> bytes:
    """The body up to its cap, small."""
    return zlib.compress(body[:MOST_BYTES], 1)


def unpacked(body: bytes) -> str:
    """The body as text."""
    return zlib.decompress(body).decode("utf-8", "replace")


@dataclass(slots=True)
class Entry:
    """One request. `status` None: not answered, or not yet."""

    n: int
    upstream: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: str = field(default_factory=now)
    status: int | None = None
    answer: bytes = packed(b"")
    fault: str | None = None
    invented: list[int] | None = None

    def shown(self) -> dict[str, Any]:
        """As control answers it."""
        view: dict[str, Any] = {
            "n": self.n,
            "at": self.at,
            "upstream": self.upstream,
            "method": self.method,
            "path": self.path,
            "headers": self.headers,
            "body": unpacked(self.body),
            "status": self.status,
            "answer": unpacked(self.answer),
            "fault": self.fault,
        }
        return view if self.invented is None else view | {"invented": self.invented}


class Journal:
    """The ring of entries. `n` counts from 1 and starts again with `clear`."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=MOST_ENTRIES)
        self._count = 0

    def add(self, upstream: str, method: str, path: str, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Entry:
        """A new entry, to be completed when it is answered."""
        self._count += 1
        entry = Entry(self._count, upstream, method, _masked(path), _shown(headers), packed(body))
        self._entries.append(entry)
        return entry

    def entries(self, upstream: str | None, since: int | datetime | None) -> Iterator[Entry]:
        """In order; `since` is an `n` that was seen already, or a time."""
        for entry in self._entries:
            if (upstream is None or entry.upstream == upstream) and _after(entry, since):
                yield entry

    def clear(self) -> None:
        """Forgets all."""
        self._entries.clear()
        self._count = 0


def _masked(path: str) -> str:
    return SECRET_PARAMETER.sub(r"\1=***", path)


def _shown(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {
        name.decode("latin-1"): value.decode("latin-1") for name, value in headers if name.lower() not in SECRET_HEADERS
    }


def _after(entry: Entry, since: int | datetime | None) -> bool:
    if since is None:
        return True
    if isinstance(since, int):
        return entry.n > since
    return datetime.fromisoformat(entry.at) >= since
