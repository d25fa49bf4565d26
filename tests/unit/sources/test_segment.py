"""What a segment gives back: everything that was promised, whatever happened to its end."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as some

from revenueflow.db.deliveries import NewDelivery
from revenueflow.sources import segment
from revenueflow.sources.segment import Damage

NOW = datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC)


def row(raw: bytes = b"{}", *, quarantined: bool = False) -> NewDelivery:
    lead = None if quarantined else uuid4()
    return NewDelivery(
        uuid4(), "webhook", "key é", raw, b"\x00" * 32, "application/json", None if quarantined else "{}", lead,
        None if quarantined else "identity", "quarantined" if quarantined else "spooled", None, "trace", NOW,
    )  # fmt: skip


ROWS = [row(b"one"), row(b"\xff\x00 two", quarantined=True), row(b"three" * 50)]
WHOLE = segment.HEADER + b"".join(map(segment.pack, ROWS))
ENDS = [len(segment.HEADER) + sum(len(segment.pack(one)) for one in ROWS[:n]) for n in range(len(ROWS) + 1)]


def read(content: bytes) -> tuple[list[NewDelivery], bool]:
    damage = Damage()
    return list(segment.read(io.BytesIO(content), damage)), damage.found


def test_what_was_written_is_read() -> None:
    assert read(WHOLE) == (ROWS, False)


def test_torn_at_every_byte_the_records_before_it_are_there() -> None:
    for length in range(len(WHOLE) + 1):
        whole = sum(end <= length for end in ENDS[1:])
        assert read(WHOLE[:length]) == (ROWS[:whole], False), length


def test_every_flipped_bit_is_noticed_and_costs_no_record_before_it() -> None:
    for place in range(len(WHOLE)):
        for bit in (1, 128):
            content = bytearray(WHOLE)
            content[place] ^= bit
            rows, damaged = read(bytes(content))
            before = sum(end <= place for end in ENDS[1:])
            assert damaged, place
            assert rows[:before] == ROWS[:before]
            assert all(one in ROWS for one in rows)


def test_a_damaged_record_costs_only_itself() -> None:
    content = bytearray(WHOLE)
    content[ENDS[1] + 20] ^= 1
    assert read(bytes(content)) == ([ROWS[0], ROWS[2]], True)


def test_what_is_no_segment_is_damage() -> None:
    for content in (b"garbage" * 10, b"RFSP\x02" + WHOLE[5:], bytes(100)):
        assert read(content) == ([], True)


@given(some.binary(max_size=300))
def test_rubbish_after_the_records_never_looks_like_one(rubbish: bytes) -> None:
    rows, _ = read(WHOLE + rubbish)
    assert rows == ROWS
