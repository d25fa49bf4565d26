"""A multipart/form-data body with one file, read as it comes: nothing of the file is held."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from revenueflow.api import body
from revenueflow.errors import Fault, InvalidInput, MalformedInput, TooLarge, UnsupportedMedia

ENVELOPE = 16 * 1024
"""Bytes of the body that are not the file's."""
FILE = "file"


class Upload:
    """Fields first, then the file. Raises UnsupportedMedia, MalformedInput or TooLarge for what is no such body.

    `names` are the fields that there may be. A field after the file comes too late: InvalidInput says so.
    """

    def __init__(self, request: Request, limit: int, names: tuple[str, ...]) -> None:
        body.refuse_encoded(request)
        kind, options = parse_options_header(request.headers.get("content-type"))
        if kind != b"multipart/form-data":
            raise UnsupportedMedia("send multipart/form-data with the file in a part named `file`")
        if not options.get(b"boundary"):
            raise _malformed()
        self._parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": self._part_begins,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_ends,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_end": self._end,
            },
        )
        self._stream = body.stream(request, limit + ENVELOPE)
        self._limit, self._names = limit, names
        self._header = (b"", b"")
        self._part = ""
        self._disposition = b""
        self._fields: dict[str, bytes] = {}
        self._pieces: list[bytes] = []
        self._size = self._other = 0
        self._has_file = self._ended = False

    async def fields(self) -> dict[str, str]:
        """The fields that stand before the file. Raises InvalidInput if there is no file."""
        while not self._has_file:
            if not await self._read():
                raise InvalidInput("there is no file", faults=(Fault("/file", "must be a file"),))
        try:
            return {name: value.decode() for name, value in self._fields.items()}
        except UnicodeDecodeError:
            raise _malformed() from None

    async def file(self) -> AsyncIterator[bytes]:
        """The bytes of the file as they come, after `fields`. Raises TooLarge where they are over the limit."""
        more = True
        while more:
            pieces, self._pieces = self._pieces, []
            for piece in pieces:
                yield piece
            more = bool(self._pieces) or await self._read()
        if not self._ended:
            raise MalformedInput("the body broke off")

    async def _read(self) -> bool:
        """Parses what comes next; False at the end of the body."""
        async for part in self._stream:
            try:
                self._parser.write(part)
            except MultipartParseError:
                raise _malformed() from None
            self._other += len(part)
            if self._other - self._size > ENVELOPE:
                raise TooLarge(f"what is not the file is over {ENVELOPE} bytes")
            return True
        return False

    def _part_begins(self) -> None:
        self._disposition, self._header = b"", (b"", b"")

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0] + data[start:end], self._header[1])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0], self._header[1] + data[start:end])

    def _header_ends(self) -> None:
        name, value = self._header
        if name.strip().lower() == b"content-disposition":
            self._disposition = value
        self._header = (b"", b"")

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._part = options.get(b"name", b"").decode(errors="replace")
        if self._has_file:
            fault = Fault("/file", "must be the last part: put fields before it")
            raise InvalidInput("something comes after the file, too late to be heeded", faults=(fault,))
        if self._part == FILE:
            self._has_file = True
        elif b"filename" in options:
            raise InvalidInput("there is no file", faults=(Fault("/file", "must be a file"),))
        elif self._part not in self._names:
            fault = Fault("/", f"may hold: {', '.join((*self._names, FILE))}")
            raise InvalidInput("there is a field that we do not know", faults=(fault,))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part != FILE:
            self._fields[self._part] = self._fields.get(self._part, b"") + data[start:end]
            return
        self._size += end - start
        if self._size > self._limit:
            raise TooLarge(f"the file is over {self._limit} bytes")
        self._pieces.append(data[start:end])

    def _end(self) -> None:
        self._ended = True


def _malformed() -> MalformedInput:
    return MalformedInput("the body is no multipart/form-data with one file")
