"""Proves that an event is in the signed trail, to somebody who has the public key and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from revenueflow.audit import notes
from revenueflow.audit.events import plain
from revenueflow.audit.merkle import inclusion, root
from revenueflow.audit.notes import Verifier
from revenueflow.db import audit_log
from revenueflow.db.direct import Connection
from revenueflow.errors import NotFound, Unavailable

BLOCK: Final = 1024
"""A power of two: blocks of so many leaves are subtrees, hashed one at a time while others may run."""


async def proof(connection: Connection, event_id: UUID, verifiers: Sequence[Verifier] = ()) -> dict[str, Any]:
    """`{event, leaf_index, tree_size, path: [hex], checkpoint}`. Needs a snapshot; linear in the leaves.

    With `verifiers` the checkpoint is checked first; whoever gets the proof checks it anyway. Raises NotFound for an
    event that is not in the trail, Unavailable for one that no checkpoint covers yet.
    """
    row = await audit_log.place(connection, event_id)
    if row is None or row["id"] is None:
        raise NotFound("no sealed event has this id; events are sealed within seconds")
    last = await audit_log.last_checkpoint(connection)
    if last is None or last["tree_size"] <= row["seq"]:
        raise Unavailable("no checkpoint covers this event yet; one is signed each minute", retry_after=60)
    if verifiers and notes.read(last["note"], tuple(verifiers)) is None:
        raise Unavailable("the last checkpoint is not signed by a known key; run `revenueflow audit verify`")
    return {
        "event": plain(row),
        "leaf_index": row["seq"],
        "tree_size": last["tree_size"],
        "path": [beside.hex() for beside in await _path(connection, row["seq"], last["tree_size"])],
        "checkpoint": last["note"],
    }


async def _path(connection: Connection, index: int, size: int) -> list[bytes]:
    """The path inside the leaf's block, then that of its block among the blocks."""
    roots: list[bytes] = []
    inside: list[bytes] = []
    block: list[bytes] = []
    async for leaf in audit_log.leaves(connection):
        block.append(leaf)
        at = BLOCK * len(roots) + len(block)
        if len(block) == BLOCK or at == size:
            if len(roots) == index // BLOCK:
                inside = inclusion(index % BLOCK, block)
            roots.append(root(block))
            block = []
        if at == size:
            break
    return inside + inclusion(index // BLOCK, roots)
