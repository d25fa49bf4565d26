"""Proves that an event is in the signed trail, to somebody who has the public key and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from revenueflow.audit import notes
from revenueflow.audit.events import plain
from revenueflow.audit.merkle import inclusion
from revenueflow.audit.notes import Verifier
from revenueflow.db import audit_log
from revenueflow.db.direct import Connection
from revenueflow.errors import NotFound, Unavailable


async def proof(connection: Connection, event_id: UUID, verifiers: Sequence[Verifier]) -> dict[str, Any]:
    """`{event, leaf_index, tree_size, path: [hex], checkpoint, keys}`. Needs a snapshot; linear in the leaves.

    Raises NotFound for an event that is not in the trail, Unavailable for one that no checkpoint covers yet.
    """
    row = await audit_log.place(connection, event_id)
    if row is None or row["id"] is None:
        raise NotFound("no sealed event has this id; events are sealed within seconds")
    last = await audit_log.last_checkpoint(connection)
    if last is None or last["tree_size"] <= row["seq"]:
        raise Unavailable("no checkpoint covers this event yet; one is signed each minute", retry_after=60)
    if notes.read(last["note"], tuple(verifiers)) is None:
        raise Unavailable("the last checkpoint is not signed by a known key; run `revenueflow audit verify`")
    leaves = [leaf async for leaf in audit_log.leaves(connection)][: last["tree_size"]]
    return {
        "event": plain(row),
        "leaf_index": row["seq"],
        "tree_size": last["tree_size"],
        "path": [beside.hex() for beside in inclusion(row["seq"], leaves)],
        "checkpoint": last["note"],
        "keys": [str(key) for key in verifiers],
    }
