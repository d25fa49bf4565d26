"""What is stored about a person, for that person: everything that erasing would clear, and what stays."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from revenueflow.audit import trail
from revenueflow.clock import rfc3339, utcnow
from revenueflow.db import erasing, exporting
from revenueflow.db.direct import Direct
from revenueflow.domain.outcome import AuditEntry
from revenueflow.pipeline.persons import identify, unplaced_of
from revenueflow.privacy.identity import IdentityKey


async def export(
    direct: Direct, key: IdentityKey, lead_id: UUID, *, actor: str, trace_id: str | None = None
) -> dict[str, Any]:
    """All that is stored about the person of a lead, in every campaign, as JSON; that it was read is audited.

    Raises NotFound.
    """
    async with direct.connection() as connection:
        who = await identify(connection, key, lead_id)
    quarantined: list[str] = []
    rejected: list[str] = []
    async for page in unplaced_of(direct, who.person):
        quarantined += [one.raw.decode(errors="replace") for one in page.quarantined]
        rejected += [one.raw for one in page.rejected]
    async with direct.transaction() as connection:
        tables = await exporting.stored(connection, who.leads, who.lookups)
        copies = await erasing.copies(connection, who.leads)
        entry = AuditEntry("person.exported", "done", {"leads": len(who.leads)}, actor=actor)
        await trail.append_rows(connection, [trail.row(trail.Subject(one, None, trace_id), entry) for one in who.leads])
    for delivery in tables["deliveries"]:
        delivery["raw"] = bytes.fromhex(delivery["raw"].removeprefix("\\x")).decode(errors="replace")
    return {
        "lead_id": lead_id,
        "exported_at": rfc3339(utcnow()),
        "leads": who.leads,
        "tables": {name: rows for name, rows in tables.items() if rows},
        "quarantined": quarantined,
        "import_rejects": rejected,
        "copies": copies_view(copies),
    }


def copies_view(copies: Any) -> list[dict[str, Any]]:
    """Records outside, as people are shown them."""
    return [
        {"type": one.object_type, "id": one.crm_id, "record_key": one.record_key, "state": one.state} for one in copies
    ]
