"""Physical lines of a text file that comes in pieces."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

LONGEST = 4 * 2**20
"""Bytes of a line that are kept; nothing longer is ever held."""
_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class Line(NamedTuple):
    """A line without its end. `digest` is that of the file up to here; a `cut` line was longer than LONGEST."""

    number: int
    text: str
    digest: bytes
    cut: bool = False


class Lines:
    """Takes bytes as they come and gives whole lines, ended by LF, CR LF or CR. The same for any cuts.

    UTF-16 is known by its byte order mark, or by the zero bytes of a file without one. All else is decoded line by
    line: as UTF-8, and a line that is not UTF-8 as Windows-1252, so one stray line does not spoil the others.
    """

    def __init__(self) -> None:
        self._number = 0
        self._hash = sha256()
        self._start: bytes | None = b""  # what came before the encoding was known
        self._wide: codecs.IncrementalDecoder | None = None
        self._pending_cr = b""
        self._parts: list[bytes] = []
        self._size = 0
        self._cut = False

    def feed(self, data: bytes) -> Iterator[Line]:
        """The lines that are whole now."""
        yield from self._split(self._as_utf8(data))

    def close(self) -> Iterator[Line]:
        """The last line, if it has no end."""
        if self._start is not None:
            yield from self._split(self._begin(self._start))
        if self._wide:
            yield from self._split(self._wide.decode(b"", True).encode())
        if self._pending_cr or self._parts:
            yield self._end(self._pending_cr)

    def _as_utf8(self, data: bytes) -> bytes:
        if self._start is not None:
            self._start += data
            if len(self._start) < 4:
                return b""
            return self._begin(self._start)
        return self._wide.decode(data).encode() if self._wide else data

    def _begin(self, start: bytes) -> bytes:
        self._start = None
        bom = next((bom for bom in _BOMS if start.startswith(bom)), b"")
        encoding = _BOMS[bom] if bom else _without_mark(start)
        if encoding == "utf-8":
            return start[len(bom) :]
        self._wide = codecs.getincrementaldecoder(encoding)(errors="replace")
        return self._wide.decode(start[len(bom) :]).encode()

    def _split(self, data: bytes) -> Iterator[Line]:
        data, self._pending_cr = self._pending_cr + data, b""
        if data.endswith(b"\r"):  # the first half of CR LF, perhaps
            data, self._pending_cr = data[:-1], b"\r"
        for piece in data.splitlines(keepends=True):
            if piece.endswith((b"\n", b"\r")):
                yield self._end(piece)
            else:
                self._hold(piece)

    def _hold(self, piece: bytes) -> None:
        self._hash.update(piece)
        if self._size + len(piece) > LONGEST:
            piece, self._cut = piece[: LONGEST - self._size], True
        self._size += len(piece)
        self._parts.append(piece)

    def _end(self, piece: bytes) -> Line:
        if content := piece.rstrip(b"\r\n"):
            self._hold(content)
        self._hash.update(b"\n")
        self._number += 1
        text = _text(self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)) if self._parts else ""
        line = Line(self._number, text, self._hash.digest(), self._cut)
        if self._parts:
            self._parts, self._size, self._cut = [], 0, False
        return line


def _without_mark(start: bytes) -> str:
    if len(start) >= 4 and start[0] and start[2] and not (start[1] or start[3]):
        return "utf-16-le"
    if len(start) >= 4 and start[1] and start[3] and not (start[0] or start[2]):
        return "utf-16-be"
    return "utf-8"


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")
