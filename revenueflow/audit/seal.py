"""Seals the trail: gives each event its place, and signs the root of the tree every minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from revenueflow.audit import checkpoint_file, notes
from revenueflow.audit.merkle import Tree
from revenueflow.audit.notes import Checkpoint, Signer, Verifier
from revenueflow.clock import rfc3339, utcnow
from revenueflow.db import audit_log
from revenueflow.db.direct import Connection
from revenueflow.errors import RevenueFlowError

BATCH: Final = 10_000
ADVICE: Final = "nothing is signed until somebody has looked; run `revenueflow audit verify`"


class Tampered(RevenueFlowError):
    """The trail is not what was signed before: nothing more is signed until somebody has looked."""


@dataclass(slots=True)
class Sealer:
    """One of any number; a lock in Postgres lets one work at a time. Holds log2(leaves) hashes."""

    signer: Signer
    verifiers: Sequence[Verifier]
    file: Path | None = None
    _tree: Tree = field(default_factory=Tree)
    _signed: int = 0

    async def resume(self, connection: Connection) -> None:
        """Reads the tree from the start. Raises Tampered if it is not the one that was signed before."""
        self._tree, self._signed = Tree(), 0
        signed = await self._signed_before(connection)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            async for leaf in audit_log.leaves(connection):
                self._tree.add(leaf)
                self._compare(signed)
        largest = max(signed, default=0)
        if largest > self._tree.size:
            raise Tampered(f"of {largest} signed leaves {self._tree.size} are left: {ADVICE}")
        self._signed = largest

    async def seal(self, connection: Connection) -> int:
        """Gives places to what is pending. Returns how many, 0 if another process is at it."""
        total = 0
        while True:
            async with connection.transaction():
                sealed = await audit_log.seal(connection, BATCH)
            total += sealed or 0
            if sealed is None or sealed < BATCH:
                return total

    async def checkpoint(self, connection: Connection) -> bool:
        """Signs the tree if it has grown. Under the lock, so that no size is signed twice.

        The file comes first: its checkpoint may be missing in Postgres then, and is added there with the next one.
        """
        async with connection.transaction():
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", audit_log.LOCK):
                return False
            async for leaf in audit_log.leaves(connection, self._tree.size):
                self._tree.add(leaf)
            last = await audit_log.last_checkpoint(connection)
            self._signed = max(self._signed, last["tree_size"] if last else 0)
            if self._tree.size <= self._signed:
                return False
            note = self.signer.sign(Checkpoint(self._tree.size, self._tree.root))
            if self.file:
                checkpoint_file.append(self.file, note, rfc3339(utcnow()))
            await audit_log.add_checkpoint(connection, self._tree.size, self._tree.root, note)
        self._signed = self._tree.size
        return True

    async def _signed_before(self, connection: Connection) -> dict[int, bytes]:
        stored = [row["note"] for row in await audit_log.checkpoints(connection)]
        outside = checkpoint_file.notes(self.file) if self.file and self.file.exists() else []
        signed: dict[int, bytes] = {}
        for note in (*stored, *outside):
            found = notes.read(note, tuple(self.verifiers))
            if found is None or signed.setdefault(found.size, found.root) != found.root:
                raise Tampered(f"a checkpoint is not signed by a key of ours, or two differ: {ADVICE}")
        return signed

    def _compare(self, signed: dict[int, bytes]) -> None:
        root = signed.get(self._tree.size)
        if root is not None and root != self._tree.root:
            raise Tampered(f"the first {self._tree.size} leaves were changed: {ADVICE}")
