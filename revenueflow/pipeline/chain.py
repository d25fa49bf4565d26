"""The chain of hashes that ties each checkpoint to everything before it: the lead, its version, the earlier results."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import orjson


def start(lead_id: UUID, run_version: int) -> bytes:
    """The input hash of the first step."""
    return sha256(f"{lead_id}/{run_version}".encode()).digest()


def after(chain: bytes, step: str, output: bytes) -> bytes:
    """The input hash of what follows a step; `output` is its result in canonical form."""
    return sha256(chain + step.encode() + output).digest()


def canonical(output: object) -> bytes:
    """One form for one result: jsonb does not give keys back in the order in which they were stored."""
    return orjson.dumps(output, option=orjson.OPT_SORT_KEYS)
