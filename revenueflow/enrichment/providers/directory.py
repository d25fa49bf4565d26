"""The customer's own company data, from a file: CSV, JSON (a list of objects) or JSON Lines, one company each.

The file is read at the start, and again when it has changed; while a new version is broken, the one before it is kept
and the log says why. Nothing leaves the machine. A path says row and column, rows counted from 0 without the header:
`$[12].industry`. `directory_file` says which columns there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from revenueflow.domain.evidence import Trust
from revenueflow.enrichment.base import Findings, KeyKind, Lookup, Question, Status
from revenueflow.enrichment.providers import directory_file
from revenueflow.enrichment.providers.answers import Part, found, signals
from revenueflow.enrichment.providers.directory_file import COLUMNS, Place, Version
from revenueflow.errors import ConfigurationError
from revenueflow.telemetry import logs

log = logs.get("directory")
PATIENCE = 1.0
"""Seconds that a question waits for a new version of the file."""


class Directory:
    """The file at `path`. Raises ConfigurationError if it can't be used: file, line or row, column, what is allowed."""

    name = "directory"
    trust = Trust.FIRST_PARTY
    lookups = (Lookup("company", KeyKind.DOMAIN, signals(COLUMNS), largest=1000),)

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loaded = directory_file.load(path)
        self._seen: Version | None = self._loaded.version
        self._reading: asyncio.Task[None] | None = None

    async def look_up(self, _: Lookup, questions: Sequence[Question]) -> Sequence[Findings]:
        """From the newest version of the file that could be read. Asks nobody, and never fails."""
        await self._refresh()
        companies = self._loaded.companies
        return [_findings(companies.get(question.key)) for question in questions]

    async def aclose(self) -> None:
        """Waits for a reading that is under way: a thread can't be cut short."""
        if self._reading:
            await self._reading

    async def _refresh(self) -> None:
        """Reads in a thread. A small file is waited for; of a large one, the version before it is used meanwhile."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_if_new())
        await asyncio.wait({self._reading}, timeout=PATIENCE)

    async def _read_if_new(self) -> None:
        version = await asyncio.to_thread(directory_file.version_of, self._path)
        if version == self._seen:
            return
        self._seen = version
        try:
            self._loaded = await asyncio.to_thread(directory_file.load, self._path)
        except ConfigurationError as error:
            log.warning("directory_not_read_again", reason=error.detail)


def _findings(place: Place | None) -> Findings:
    if place is None:
        return Findings(status=Status.NOT_FOUND)
    findings = found(place.row, Part("$", COLUMNS))
    facts = (fact.model_copy(update={"path": f"$[{place.number}]{fact.path[1:]}"}) for fact in findings.facts)
    return findings.model_copy(update={"facts": tuple(facts)})
