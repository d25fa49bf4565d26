"""A trail of test events, and a sealer for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson

from revenueflow.audit import checkpoint_file, keys
from revenueflow.audit.seal import Sealer
from revenueflow.audit.trail import Subject, row
from revenueflow.audit.verify import Report, verify
from revenueflow.db import audit_log
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.domain.outcome import AuditEntry
from tests.support import sql


@dataclass(frozen=True)
class Trail:
    """The trail of one database, with a key and a checkpoint file in a folder."""

    urls: DatabaseUrls
    folder: Path

    @property
    def key(self) -> Path:
        """The file of the key; made on first use."""
        file = self.folder / "audit.key"
        if not file.exists():
            keys.write(file)
        return file

    @property
    def file(self) -> Path:
        """The checkpoint file."""
        return self.folder / "checkpoints.jsonl"

    def append(self, count: int, lead_id: UUID | None = None) -> list[str]:
        """Appends events with the application's role; returns their ids."""
        lead = lead_id or uuid4()
        entries = [
            AuditEntry("test.happened", "done", {"n": n, "text": 'Größe \t"\\', "no": None}) for n in range(count)
        ]
        events: list[dict[str, Any]] = [row(Subject(lead, None, "t"), entry) for entry in entries]
        sql.rows(self.urls.app_url, "SELECT audit_append($1::jsonb)", orjson.dumps(events).decode())
        return [event["id"] for event in events]

    def sealer(self) -> Sealer:
        """A sealer that has read nothing yet."""
        return Sealer(keys.signer(self.key), keys.verifiers(self.key), self.file)

    async def seal(self, sealer: Sealer | None = None) -> int:
        """One round with a checkpoint, by a sealer that starts anew; how many events were given a place."""
        sealer = sealer or self.sealer()
        async with audit_log.opened(self.urls.sealer_url, application="test") as connection:
            await sealer.resume(connection)
            sealed = await sealer.seal(connection)
            await sealer.checkpoint(connection)
        return sealed

    async def verify(self, *, outside: bool = True) -> Report:
        """With the auditor's role."""
        notes = checkpoint_file.notes(self.file) if outside and self.file.exists() else []
        async with audit_log.snapshot(self.urls.auditor_url, application="test") as connection:
            return await verify(connection, keys.verifiers(self.key), notes)
