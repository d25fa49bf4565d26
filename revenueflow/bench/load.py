"""What a load came to."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import orjson

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999, "max": 1.0}


def _seconds() -> array[float]:
    return array("d")


@dataclass(slots=True)
class Load:
    """Every answer: latencies in seconds, HTTP statuses, and what the answers said.

    `errors` are requests without an answer, `late` is how long after its time each was sent (constant rate only), `cpu`
    the generator's own processor seconds, `memory` its peak in bytes.
    """

    latencies: array[float] = field(default_factory=_seconds)
    late: array[float] = field(default_factory=_seconds)
    statuses: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    errors: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    memory: int = 0

    @property
    def kept(self) -> int:
        """Leads that were answered with a 2xx."""
        return sum(count for status, count in self.statuses.items() if 200 <= status < 300)

    def write(self, file: BinaryIO) -> None:
        """As a line of JSON and the two arrays."""
        counts = {
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "outcomes": dict(self.outcomes),
            "sent": self.sent,
            "errors": self.errors,
            "seconds": self.seconds,
            "cpu": self.cpu,
            "memory": self.memory,
        }
        head = counts | {"latencies": len(self.latencies), "late": len(self.late)}
        file.write(orjson.dumps(head) + b"\n" + self.latencies.tobytes() + self.late.tobytes())
        file.flush()

    @classmethod
    def read(cls, file: BinaryIO) -> Load:
        """What `write` wrote. Raises ValueError if it is not all there."""
        head = orjson.loads(file.readline())
        latencies, late = (_read_array(file, head.pop(name)) for name in ("latencies", "late"))
        statuses = Counter({int(status): count for status, count in head.pop("statuses").items()})
        return cls(latencies, late, statuses, Counter(head.pop("outcomes")), **head)


def _read_array(file: BinaryIO, length: int) -> array[float]:
    read = _seconds()
    read.frombytes(file.read(length * read.itemsize))
    if len(read) != length:
        raise ValueError("the generator's answer is cut off")
    return read


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed. `ordered` is not empty."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def percentiles(values: Sequence[float], shares: dict[str, float] = PERCENTILES) -> dict[str, float | None]:
    """Seconds by name; None without values."""
    ordered = sorted(values)
    return {name: round(percentile(ordered, share), 6) if ordered else None for name, share in shares.items()}
