"""Scoring over HTTP: stored leads anew, their history, and the results as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from revenueflow.api import idempotency, json_body, views
from revenueflow.api.deps import AppState, Principal, State, require
from revenueflow.api.idempotency import IdempotencyKey
from revenueflow.api.offers import known_profile
from revenueflow.clock import rfc3339
from revenueflow.db import campaigns, leads, models, offers, requests, scores, scorings
from revenueflow.db.session import Session
from revenueflow.domain.lead import Tier
from revenueflow.errors import Fault, InvalidInput, NotFound
from revenueflow.pipeline import results

router = APIRouter(prefix="/v1", tags=["scoring"])
Reader = Annotated[Principal, Depends(require("reader", "operator", "auditor"))]
Operator = Annotated[Principal, Depends(require("operator"))]
Limit = Annotated[int, Query(ge=1, le=200, description="most items in the answer")]
Cursor = Annotated[str | None, Query(max_length=500, description="next_cursor of the page before")]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
PAGE = 500
_EXAMPLE = {"scope": "campaign", "campaign_id": "spring-2027", "profile": "dual_layer"}
_TIMES = ("created_at", "updated_at", "finished_at")
_SHOWN = ("id", "scope", "campaign_id", "offer_id", "profile", "state", "leads", "scored", "skipped", "error")


class Wanted(BaseModel):
    """Which leads are to be scored anew, and by what."""

    model_config = ConfigDict(extra="forbid")

    scope: Literal["all", "campaign", "unscored"] = "all"
    campaign_id: Name | None = None
    offer_id: UUID | None = None
    profile: Annotated[str, Field(max_length=100)] | None = None

    @model_validator(mode="after")
    def _whose(self) -> Self:
        if (self.scope == "campaign") != (self.campaign_id is not None):
            raise ValueError("campaign_id goes with the scope campaign, and with no other")
        return self


@router.post(
    "/scores",
    status_code=202,
    operation_id="scoreLeads",
    openapi_extra=json_body.openapi(Wanted, _EXAMPLE),
    responses=idempotency.PROBLEMS,
)
async def score_leads(
    request: Request,
    response: Response,
    state: AppState,
    operator: Operator,
    idempotency_key: IdempotencyKey = None,
) -> dict[str, Any]:
    """Scores stored leads anew, from their stored evidence and claims: no model is asked, nothing is sent to the CRM.

    A worker does it. It goes on where it was if the worker ends. The same Idempotency-Key gives the same answer, and
    starts no second run.
    """
    raw = await json_body.taken(request)
    once = idempotency.once("scorings", operator, idempotency_key, raw)
    wanted = json_body.parsed(raw, Wanted)
    async with state.database.transaction() as session:
        row = earlier = await requests.made(session, models.scorings, once)
        if row is None:
            await _check(session, wanted, state)
            values = wanted.model_dump() | {"created_by": f"key:{operator.key_id}"}
            row = await scorings.add(session, values | (once.columns if once else {}))
    idempotency.mark(response, replayed=earlier is not None)
    response.headers["Location"] = f"/v1/scores/{row['id']}"
    return _progress(row | scorings.at_first(row))


async def _check(session: Session, wanted: Wanted, state: State) -> None:
    known_profile(wanted.profile, state.settings.config_dir)
    if wanted.campaign_id is not None and not await campaigns.known(session, wanted.campaign_id):
        raise InvalidInput(campaigns.NOT_KNOWN, faults=(Fault("/campaign_id", campaigns.NOT_KNOWN),))
    if wanted.offer_id and await offers.get(session, wanted.offer_id) is None:
        raise InvalidInput("there is no such offer", faults=(Fault("/offer_id", "must be the id of an offer"),))


@router.get("/scores/{scoring_id}", operation_id="getScoring")
async def get_scoring(scoring_id: UUID, state: AppState, _: Reader) -> dict[str, Any]:
    """How far it has come: ready, running, done or failed."""
    async with state.database.transaction() as session:
        row = await scorings.get(session, scoring_id)
    if row is None:
        raise NotFound("there is no scoring with this id")
    return _progress(row)


@router.get("/leads/{lead_id}/scores", operation_id="listLeadScores")
async def list_scores(
    lead_id: UUID, request: Request, response: Response, state: AppState, _: Reader, limit: Limit = 20,
    cursor: Cursor = None,
) -> dict[str, Any]:  # fmt: skip
    """Every score that a lead has had, newest first, each with its waterfall."""
    at, id_ = views.read_cursor(cursor, datetime, UUID) if cursor else (None, None)
    async with state.database.transaction() as session:
        rows = await scores.of_lead(session, lead_id, limit=limit + 1, before=(at, id_) if at and id_ else None)
        if not rows and not cursor and await leads.get(session, lead_id) is None:
            raise NotFound("there is no lead with this id")
    last = rows[limit - 1] if len(rows) > limit else None
    following = views.cursor(last["scored_at"], str(last["id"])) if last else None
    views.link_next(request, response, following)
    return {"items": [_past(row) for row in rows[:limit]], "next_cursor": following}


@router.get(
    "/results",
    operation_id="getResults",
    responses={200: {"content": {"text/csv": {}, "application/json": {}}}},
    response_class=Response,
)
async def get_results(
    request: Request,
    state: AppState,
    _: Reader,
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
    campaign: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")] = None,
    tier: Tier | None = None,
    limit: Annotated[int, Query(ge=1, le=500, description="JSON: most items in the answer")] = 100,
    cursor: Annotated[str | None, Query(max_length=500, description="JSON: next_cursor of the page before")] = None,
) -> Response:
    """Scored leads, newest first: pages of JSON, or all of them as a CSV that comes as it is read."""
    which = {"campaign_id": campaign, "tier": tier.value if tier else None}
    if form == "csv":
        named = {"Content-Disposition": 'attachment; filename="results.csv"'}
        return StreamingResponse(_as_csv(state, which), media_type="text/csv; charset=utf-8", headers=named)
    at, id_ = views.read_cursor(cursor, datetime, UUID) if cursor else (None, None)
    async with state.database.transaction() as session:
        rows = await scores.results(session, limit=limit + 1, before=(at, id_) if at and id_ else None, **which)
    following = _following(rows[limit - 1]) if len(rows) > limit else None
    answer = views.json({"items": [results.of_stored(row) for row in rows[:limit]], "next_cursor": following})
    views.link_next(request, answer, following)
    return answer


async def _as_csv(state: State, which: Mapping[str, str | None]) -> AsyncIterator[str]:
    yield _written([results.COLUMNS])
    before = None
    while True:
        async with state.database.transaction() as session:
            rows = await scores.results(session, limit=PAGE, before=before, **which)
        if not rows:
            return
        yield _written([results.cells(results.of_stored(row)) for row in rows])
        before = rows[-1]["received_at"], rows[-1]["id"]


def _written(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _following(row: Mapping[str, Any]) -> str:
    return views.cursor(row["received_at"], str(row["id"]))


def _progress(row: Mapping[str, Any]) -> dict[str, Any]:
    times = {name: rfc3339(row[name]) if row[name] else None for name in _TIMES}
    return {name: row[name] for name in _SHOWN} | times


def _past(row: dict[str, Any]) -> dict[str, Any]:
    factors = results.waterfall(row["score_factors"])
    return row | {"score_factors": factors, "scored_at": rfc3339(row["scored_at"])}
