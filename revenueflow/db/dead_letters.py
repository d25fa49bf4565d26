"""Stopped jobs: grouped by the fingerprint of their error, and chosen to be set going again.

The fingerprint is a short hash of the step, the kind of error, and whether the job is poison: its worker died or hung
at each claim. It holds nothing of a lead.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    LargeBinary,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    delete,
    false,
    func,
    literal_column,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from revenueflow.db import reviews
from revenueflow.db.models import claims, evidence, jobs, leads, steps
from revenueflow.db.session import Session

STOPPED = ("dead", "parked")
is_poison = jobs.c.error_class.is_not_distinct_from("lease_expired")
stopped_at = func.coalesce(jobs.c.finished_at, jobs.c.run_at)
_kind = func.concat_ws("/", jobs.c.step, func.coalesce(jobs.c.error_class, ""), case((is_poison, "poison"), else_=""))
_newest = func.array_agg(aggregate_order_by(jobs.c.id, stopped_at.desc()), type_=ARRAY(Uuid))[1]
fingerprint = func.left(func.encode(func.sha256(func.convert_to(_kind, literal_column("'UTF8'"))), "hex"), 12)


class Chosen(NamedTuple):
    """Which jobs are meant: in one of `states` (all if there is none), and of these those that fit all that is given.

    `since` is when a job stopped (a live one: when it is or was due); `ids` are the jobs themselves.
    """

    states: Sequence[str] = ()
    since: datetime | None = None
    fingerprint: str | None = None
    ids: Sequence[UUID] | None = None


class Terms(NamedTuple):
    """What else must hold for a replay: the job stopped at one of `steps`, and is poison only if `poison` allows it."""

    steps: Sequence[str] = ()
    poison: bool = False


class Judged(NamedTuple):
    """The jobs that may be set going again, oldest first, and how many may not, by reason."""

    jobs: list[UUID]
    left: dict[str, int]


def conditions(chosen: Chosen) -> list[ColumnElement[bool]]:
    """What a row of `jobs` must fulfil to be among the chosen."""
    found: list[ColumnElement[bool]] = []
    if chosen.states:
        # Written out, and not as parameters: so Postgres knows that the partial index on stopped jobs fits.
        found.append(jobs.c.state.in_(bindparam("states", list(chosen.states), expanding=True, literal_execute=True)))
    if chosen.since is not None:
        found.append(stopped_at >= chosen.since)
    if chosen.fingerprint is not None:
        found.append(fingerprint == chosen.fingerprint)
    if chosen.ids is not None:
        found.append(jobs.c.id.in_(chosen.ids))
    return found


async def groups(session: Session, chosen: Chosen) -> list[dict[str, Any]]:
    """The chosen by state and fingerprint, most frequent first: count, step, error, oldest, newest, an example's id."""
    columns = (jobs.c.state, jobs.c.step, jobs.c.error_class)
    count, newest = func.count().label("count"), func.max(stopped_at).label("newest")
    query = (
        select(
            fingerprint.label("fingerprint"), *columns, is_poison.label("poison"), count,
            func.min(stopped_at).label("oldest"), newest, _newest.label("example"),
        )
        .where(*conditions(chosen)).group_by(*columns).order_by(count.desc(), newest.desc())
    )  # fmt: skip
    return [dict(row) for row in (await session.execute(query)).mappings()]


async def judge(session: Session, chosen: Chosen, terms: Terms, *, limit: int) -> Judged:
    """Which of the chosen may be replayed, up to `limit`.

    The others are left alone because of: `unknown` (no such job), `not_stopped` (neither dead nor parked, or not in the
    state that was asked for), `erased`, `another_run` (one is live), `later_version` (old data must not go over new),
    `poison`, `not_reached` (it stopped before the step), `over_limit`.
    """
    rows = (await session.execute(_judgement(chosen, terms, limit))).all()
    found = [row.id for row in rows if row.reason is None]
    left = {row.reason: row.count for row in rows if row.reason is not None}
    fit = max((row.count for row in rows if row.reason is None), default=0)
    left["over_limit"] = fit - len(found)
    left["unknown"] = len(set(chosen.ids)) - fit - sum(left.values()) + left["over_limit"] if chosen.ids else 0
    return Judged(found, {reason: count for reason, count in left.items() if count})


def _judgement(chosen: Chosen, terms: Terms, limit: int) -> Select[Any]:
    """Up to `limit` jobs that fit, and one of those left alone for each reason, with the number of its kind."""
    states = chosen.states or STOPPED
    meant = chosen if chosen.ids is None else chosen._replace(states=())
    judged = (
        select(jobs.c.id, jobs.c.created_at, _reason(states, terms).label("reason")).where(*conditions(meant))
    ).subquery()  # fmt: skip
    alike: dict[str, Any] = {"partition_by": judged.c.reason}
    ranked = select(
        judged.c.id,
        judged.c.reason,
        func.count().over(**alike).label("count"),
        func.row_number().over(**alike, order_by=(judged.c.created_at, judged.c.id)).label("place"),
    ).subquery()
    shown = or_(ranked.c.place == 1, and_(ranked.c.reason.is_(None), ranked.c.place <= limit))
    return select(ranked).where(shown).order_by(ranked.c.place)


def _reason(states: Sequence[str], terms: Terms) -> ColumnElement[str | None]:
    other = jobs.alias("other")
    same_lead = select(other.c.id).where(other.c.lead_id == jobs.c.lead_id, other.c.id != jobs.c.id)
    return case(
        (jobs.c.state.not_in(states), "not_stopped"),
        (select(leads.c.id).where(leads.c.id == jobs.c.lead_id, leads.c.erased_at.is_not(None)).exists(), "erased"),
        (same_lead.where(other.c.state.in_(("ready", "leased", "parked"))).exists(), "another_run"),
        (same_lead.where(other.c.run_version > jobs.c.run_version).exists(), "later_version"),
        (false() if terms.poison else is_poison, "poison"),
        (jobs.c.step.not_in(terms.steps) if terms.steps else false(), "not_reached"),
        else_=null(),
    )


class Kept(NamedTuple):
    """A checkpoint that a job keeps when it gets another version; `output` is as stored."""

    job_id: UUID
    name: str
    input_sha256: bytes
    output: Any


async def checkpoints(session: Session, ids: Sequence[UUID]) -> list[Kept]:
    """The checkpoints of jobs."""
    query = select(steps.c.job_id, steps.c.name, steps.c.input_sha256, steps.c.output).where(steps.c.job_id.in_(ids))
    return [Kept(*row) for row in await session.execute(query)]


_RECHAIN = text("""
    UPDATE steps SET input_sha256 = new.input_sha256
    FROM unnest(:ids, :names, :hashes) AS new(job_id, name, input_sha256)
    WHERE steps.job_id = new.job_id AND steps.name = new.name
""").bindparams(
    bindparam("ids", type_=ARRAY(Uuid)), bindparam("names", type_=ARRAY(Text)),
    bindparam("hashes", type_=ARRAY(LargeBinary)),
)  # fmt: skip


async def rechain(session: Session, kept: Sequence[Kept]) -> None:
    """Gives checkpoints other input hashes."""
    if kept:
        ids, names, hashes, _ = zip(*kept, strict=True)
        await session.execute(_RECHAIN, {"ids": list(ids), "names": list(names), "hashes": list(hashes)})


async def forget(session: Session, ids: Sequence[UUID], names: Sequence[str]) -> None:
    """Drops the checkpoints of these steps, and the evidence and claims that these steps left behind."""
    await session.execute(delete(steps).where(steps.c.job_id.in_(ids), steps.c.name.in_(names)))
    for owner, table in (("enrich", evidence), ("ground", claims)):
        if owner in names:
            await session.execute(delete(table).where(table.c.job_id.in_(ids)))
    if "ground" in names:
        await reviews.forget(session, ids)


async def under_way(session: Session, lead_ids: Sequence[UUID]) -> None:
    """Leads that stood still are being processed again."""
    query = update(leads).where(leads.c.id.in_(lead_ids), leads.c.erased_at.is_(None))
    await session.execute(query.values(status="processing", updated_at=func.now()))
