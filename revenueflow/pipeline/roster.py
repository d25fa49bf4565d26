"""The routing rules with the reps of the database over those of the file, as every process sees them within seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from revenueflow.db import reps
from revenueflow.db.session import Database
from revenueflow.routing.reps import Rep
from revenueflow.routing.rules import RoutingRules
from revenueflow.telemetry import logs

REMEMBERED_SECONDS = 5.0
log = logs.get("roster")


class Roster:
    """Reads the reps now and then. Raises Unavailable when they must be read and Postgres is away."""

    def __init__(self, rules: RoutingRules, database: Database) -> None:
        self._file = rules
        self._database = database
        self._read_at = -REMEMBERED_SECONDS
        self._current = rules
        self._told: list[str] = []
        self._reading = asyncio.Lock()

    async def rules(self) -> RoutingRules:
        """The rules with the reps that there are now, at most REMEMBERED_SECONDS old."""
        if self._is_old():
            async with self._reading:
                if self._is_old():
                    await self._read()
        return self._current

    def _is_old(self) -> bool:
        return time.monotonic() - self._read_at >= REMEMBERED_SECONDS

    async def _read(self) -> None:
        async with self._database.transaction() as session:
            rows = await reps.all_(session)
        self._current = merged(self._file, rows)
        self._read_at = time.monotonic()
        self._tell(list(self._current.unknown()))

    def _tell(self, unknown: list[str]) -> None:
        """Says once what the rules name in vain: a rep that was removed, a team without anybody."""
        if unknown and unknown != self._told:
            log.warning("rules_name_nobody", keys=unknown)
        self._told = unknown


def merged(rules: RoutingRules, rows: Iterable[Mapping[str, Any]]) -> RoutingRules:
    """The rules with reps (id, data, removed) in place of those of the same id; who was removed is not there.

    The default queue stays, whatever the rows say.
    """
    found = {rep.id: rep for rep in rules.reps}
    for row in rows:
        rep = None if row["removed"] else stored(row)
        if rep:
            found[rep.id] = rep
        elif row["id"] != rules.default_owner:
            found.pop(row["id"], None)
    found.setdefault(rules.default_owner, queue(rules.default_owner))
    return rules.with_reps(tuple(found.values()))


def stored(row: Mapping[str, Any]) -> Rep | None:
    """A rep as stored; None, and a line in the log, for one that another version has written."""
    try:
        return Rep.model_validate({"id": row["id"], **row["data"]})
    except ValidationError:
        log.warning("rep_not_understood", rep_id=row["id"])
        return None


def queue(rep_id: str) -> Rep:
    """A default queue of which nothing but the id is known."""
    return Rep(id=rep_id, name=rep_id, email=f"{rep_id}@reps.invalid", timezone="UTC", country="US")
