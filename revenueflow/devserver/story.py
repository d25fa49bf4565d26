"""What became of the sample: each lead beside its label, and the counts of everything."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import orjson

from revenueflow.audit import checkpoint_file, keys
from revenueflow.audit.verify import verify
from revenueflow.db import audit_log, leads, overview, story
from revenueflow.db.engine import engine_for
from revenueflow.db.session import Database, Session
from revenueflow.devserver import environment
from revenueflow.devserver.services import NO_TLS
from revenueflow.privacy.identity import IdentityKey
from revenueflow.sandbox.sample import CSV, SampleLead
from revenueflow.settings import DatabaseSettings
from revenueflow.sources import csv, generic, hubspot, marketo
from revenueflow.sources.arrival import Arrival, identify


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the sample, and the lead that it became."""

    sample: SampleLead
    lead: dict[str, Any] | None

    @property
    def as_labelled(self) -> bool:
        """True if status, tier and owner are those of the label."""
        expected, lead = self.sample.expected, self.lead or {}
        wanted = (expected.status.value, expected.tier.value if expected.tier else None, expected.owner)
        return wanted == (lead.get("status"), lead.get("tier"), lead.get("owner_id"))


async def tell(session: Session, sample: Sequence[SampleLead], key: IdentityKey) -> list[Told]:
    """Each line of the sample with its lead: ids are computed, not looked up."""
    told = []
    for line, lead_id in zip(sample, lead_ids(sample, key), strict=True):
        told.append(Told(line, await leads.get(session, lead_id) if lead_id else None))
    return told


def lead_ids(sample: Sequence[SampleLead], key: IdentityKey) -> list[UUID | None]:
    """The lead id of each line, as the ingress computes it."""
    rows = csv.rows(CSV.read_bytes())
    return [identify(next(rows) if line.via == "csv" else _arrival(line), key).lead_id for line in sample]


def _arrival(line: SampleLead) -> Arrival:
    if line.via == "hubspot":
        return hubspot.read(orjson.dumps([line.payload]))[0]
    read = marketo.read if line.via == "marketo" else generic.read
    return read(orjson.dumps(line.payload), "application/json")


async def counts(backends: dict[str, str], sandbox: dict[str, str], data_dir: Path) -> dict[str, Any]:
    """The demo's last line: what was delivered, what became of it, and what the model invented."""
    async with _session(backends["DATABASE_URL"]) as session:
        found = await overview.summary(session)
        verdicts = await story.verdicts_by_statements(session)
    invented, caught = _invented(verdicts, sandbox)
    return {
        **found,
        "crm_records": len([record for record in _ledger(sandbox) if record["type"] == "lead"]),
        "claims_invented": invented,
        "invented_caught": caught,
        "audit_verified": await _audit_is_intact(backends, data_dir),
    }


def _ledger(sandbox: dict[str, str]) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = _asked(sandbox, "ledger", "crm")["records"]
    return records


def _invented(verdicts: dict[tuple[str, ...], list[list[str]]], sandbox: dict[str, str]) -> tuple[int, int]:
    """How many claims the fake model invented in answers that were used, and how many were not supported."""
    invented = caught = 0
    for request in _asked(sandbox, "requests", "gemini")["requests"]:
        if not request.get("invented"):
            continue
        statements = tuple(claim["statement"] for claim in orjson.loads(request["answer"])["claims"])
        judged = verdicts.get(statements, [])
        if judged:
            of_run = judged.pop() if len(judged) > 1 else judged[0]
            invented += len(request["invented"])
            caught += sum(of_run[index] != "supported" for index in request["invented"])
    return invented, caught


def _asked(sandbox: dict[str, str], what: str, upstream: str) -> dict[str, Any]:
    url = f"{sandbox['control']}/_sandbox/{what}"
    answer = httpx2.get(url, params={"upstream": upstream}, timeout=30, trust_env=False, verify=NO_TLS)
    found: dict[str, Any] = orjson.loads(answer.raise_for_status().content)
    return found


async def _audit_is_intact(backends: dict[str, str], data_dir: Path) -> bool:
    known, file = keys.verifiers(data_dir / environment.AUDIT_KEY), data_dir / environment.CHECKPOINTS
    outside = checkpoint_file.notes(file) if file.exists() else []
    async with audit_log.snapshot(backends["DATABASE_URL"], application="demo") as connection:
        return (await verify(connection, known, outside)).intact


@asynccontextmanager
async def _session(url: str) -> AsyncIterator[Session]:
    settings = DatabaseSettings(url=url, pool_size=2)
    async with engine_for(settings, application="demo") as engine, Database(engine).transaction() as session:
        yield session
