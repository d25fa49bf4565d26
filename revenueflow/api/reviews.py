"""The review queue over HTTP: analyses that a person must look at, and what they decide."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from revenueflow import defaults
from revenueflow.api import body, views
from revenueflow.api.deps import AppState, Principal, require
from revenueflow.api.review_requests import BODY, DECIDED, read
from revenueflow.db import reviews
from revenueflow.domain.review import ReviewState
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.errors import NotFound
from revenueflow.pipeline import review_view
from revenueflow.pipeline.reviews import decide

router = APIRouter(prefix="/v1/reviews", tags=["reviews"])
Reader = Annotated[Principal, Depends(require("reader", "operator", "auditor"))]
Operator = Annotated[Principal, Depends(require("operator"))]
Limit = Annotated[int, Query(ge=1, le=200, description="most items in the answer")]
Cursor = Annotated[str | None, Query(max_length=500, description="next_cursor of the page before")]


@router.get("", operation_id="listReviews")
async def list_reviews(
    request: Request,
    response: Response,
    state: AppState,
    _: Reader,
    limit: Limit = 50,
    cursor: Cursor = None,
    wanted: Annotated[ReviewState, Query(alias="state", description="open ones if not given")] = ReviewState.OPEN,
    lead: Annotated[UUID | None, Query(description="only those of this lead")] = None,
) -> dict[str, Any]:
    """Analyses in the queue, the one that has waited longest first."""
    created_at, review_id = views.read_cursor(cursor, datetime, UUID) if cursor else (None, None)
    after = (created_at, review_id) if created_at and review_id else None
    async with state.database.transaction() as session:
        rows = await reviews.page(session, limit=limit + 1, after=after, state=wanted, lead_id=lead)
    last = rows[limit - 1] if len(rows) > limit else None
    following = views.cursor(last["created_at"], str(last["id"])) if last else None
    views.link_next(request, response, following)
    return {"items": [review_view.item(row) for row in rows[:limit]], "next_cursor": following}


@router.get("/{review_id}", operation_id="getReview")
async def get_review(review_id: UUID, state: AppState, _: Reader) -> dict[str, Any]:
    """One analysis: each claim, the evidence that it cites, what speaks against it, and why it was judged so."""
    async with state.database.transaction() as session:
        row = await reviews.one(session, review_id)
        if row is None:
            raise NotFound("there is no review with this id")
        return await review_view.whole(session, row)


@router.post(
    "/{review_id}/decision",
    operation_id="decideReview",
    openapi_extra={"requestBody": BODY},
    responses=DECIDED,
)
async def decide_review(review_id: UUID, request: Request, state: AppState, operator: Operator) -> dict[str, Any]:
    """Accepts, rejects or puts right the claims in question, with a reason.

    Claims that are accepted or put right count as supported, here and in later runs over the same evidence; the lead is
    scored and routed again. The same decision by the same key may be sent again; any other one is a conflict (409).
    """
    body.refuse_encoded(request)
    raw = await body.read(request, state.settings.api.body_limit)
    decision = read(raw, request.headers.get("content-type", ""))
    known = _vocabulary(state.settings.config_dir)
    told = await decide(state.database, review_id, decision, actor=f"key:{operator.key_id}", vocabulary=known)
    state.poke()
    return told._asdict()


@cache
def _vocabulary(folder: Path | None) -> Vocabulary:
    return defaults.load(Vocabulary, "vocabulary.toml", folder)
