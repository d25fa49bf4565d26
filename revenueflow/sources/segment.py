"""A segment of the spool: a file of records, each with its length and its checksum, readable as far as it is whole.

    header   b"RFSP" + version (1 byte)
    record   length (u32, big endian), CRC-32 of the payload (u32), CRC-32 of these eight bytes (u32), payload (msgpack)

A record that is cut off at the end was never promised to anybody: whoever wrote it died before it was synced. Anything
else that does not fit its checksum is damage.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any
from uuid import UUID

import msgpack

from revenueflow.clock import rfc3339
from revenueflow.db.deliveries import NewDelivery

HEADER = b"RFSP\x01"
_NUMBERS = struct.Struct(">II")
_CHECK = struct.Struct(">I")
_FRAME_BYTES = _NUMBERS.size + _CHECK.size


@dataclass(slots=True)
class Damage:
    """What reading a segment has found that can't be replayed."""

    found: bool = False


def pack(row: NewDelivery) -> bytes:
    """A delivery as a record."""
    values = [_plain(value) for value in row]
    payload: bytes = msgpack.packb(values)
    numbers = _NUMBERS.pack(len(payload), zlib.crc32(payload))
    return numbers + _CHECK.pack(zlib.crc32(numbers)) + payload


def read(file: IO[bytes], damage: Damage) -> Iterator[NewDelivery]:
    """The deliveries of a segment in their order; `damage` says in the end whether there was more than these."""
    if (header := file.read(len(HEADER))) != HEADER:
        damage.found = not HEADER.startswith(header)
        return
    while len(frame := file.read(_FRAME_BYTES)) == _FRAME_BYTES:
        numbers, check = frame[: _NUMBERS.size], frame[_NUMBERS.size :]
        if _CHECK.unpack(check)[0] != zlib.crc32(numbers):
            damage.found = True  # where the next record begins is not known any more
            return
        length, checksum = _NUMBERS.unpack(numbers)
        if len(payload := file.read(length)) < length:
            return
        if zlib.crc32(payload) != checksum or (row := _unpack(payload)) is None:
            damage.found = True
            continue
        yield row


def _plain(value: object) -> object:
    if isinstance(value, UUID):
        return str(value)
    return rfc3339(value) if isinstance(value, datetime) else value


def _unpack(payload: bytes) -> NewDelivery | None:
    try:
        values: list[Any] = msgpack.unpackb(payload)
        row = NewDelivery(*values)
        return row._replace(
            id=UUID(values[0]),
            lead_id=UUID(row.lead_id) if row.lead_id else None,  # type: ignore[arg-type]
            received_at=datetime.fromisoformat(str(row.received_at)),
        )
    except (ValueError, TypeError, IndexError):
        return None
