"""Offers over HTTP: what is sold, and the scoring profile that goes with it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from revenueflow.analysis.offers import Offer
from revenueflow.api import idempotency, json_body, views
from revenueflow.api.deps import AppState, Principal, require
from revenueflow.api.idempotency import IdempotencyKey
from revenueflow.clock import rfc3339
from revenueflow.db import models, offers, requests
from revenueflow.errors import Fault, InvalidInput, NotFound
from revenueflow.wiring import files

router = APIRouter(prefix="/v1/offers", tags=["scoring"])
Reader = Annotated[Principal, Depends(require("reader", "operator", "auditor"))]
Operator = Annotated[Principal, Depends(require("operator"))]
_EXAMPLE = {
    "name": "Route planning",
    "value_propositions": ["a third less distance"],
    "ideal_use_cases": ["fleets of 20 to 500 vehicles"],
    "profile": "dual_layer",
    "campaign_id": "spring-2027",
}

MISSING = "there is no offer with this id"
_HIDDEN = ("created_by", "request_key", "request_sha256")


class NewOffer(Offer):
    """An offer, for the leads of a campaign or, without `campaign_id`, for all leads whose campaign has none."""

    campaign_id: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")] | None = None


@router.post(
    "",
    status_code=201,
    operation_id="createOffer",
    openapi_extra=json_body.openapi(NewOffer, _EXAMPLE),
    responses=idempotency.PROBLEMS,
)
async def create_offer(
    request: Request,
    response: Response,
    state: AppState,
    operator: Operator,
    idempotency_key: IdempotencyKey = None,
) -> dict[str, Any]:
    """Stores an offer. The newest one of a campaign goes into the prompt of leads that come from now on.

    The same Idempotency-Key gives the same answer, and makes no second offer.
    """
    raw = await json_body.taken(request)
    once = idempotency.once("offers", operator, idempotency_key, raw)
    offer = json_body.parsed(raw, NewOffer)
    async with state.database.transaction() as session:
        row = earlier = await requests.made(session, models.offers, once)
        if row is None:
            known_profile(offer.profile, state.settings.config_dir)
            values = offer.model_dump(mode="json") | {"created_by": f"key:{operator.key_id}"}
            row = await offers.add(session, values | (once.columns if once else {}))
    idempotency.mark(response, replayed=earlier is not None)
    response.headers["Location"] = f"/v1/offers/{row['id']}"
    return _shown(row)


@router.get("", operation_id="listOffers")
async def list_offers(
    request: Request,
    response: Response,
    state: AppState,
    _: Reader,
    limit: Annotated[int, Query(ge=1, le=200, description="most items in the answer")] = 50,
    cursor: Annotated[str | None, Query(max_length=500, description="next_cursor of the page before")] = None,
) -> dict[str, Any]:
    """Offers, newest first."""
    before = views.read_cursor(cursor, UUID)[0] if cursor else None
    async with state.database.transaction() as session:
        rows = await offers.page(session, limit=limit + 1, before=before)
    following = views.cursor(str(rows[limit - 1]["id"])) if len(rows) > limit else None
    views.link_next(request, response, following)
    return {"items": [_shown(row) for row in rows[:limit]], "next_cursor": following}


@router.get("/{offer_id}", operation_id="getOffer")
async def get_offer(offer_id: UUID, state: AppState, _: Reader) -> dict[str, Any]:
    """One offer."""
    async with state.database.transaction() as session:
        row = await offers.get(session, offer_id)
    if row is None:
        raise NotFound(MISSING)
    return _shown(row)


@router.delete("/{offer_id}", status_code=204, operation_id="withdrawOffer")
async def withdraw_offer(offer_id: UUID, state: AppState, _: Operator) -> None:
    """Leads that come from now on are judged by the offer before it, if there is one, else by offer.toml.

    It stays in the list with `withdrawn_at`. Once more changes nothing.
    """
    async with state.database.transaction() as session:
        if not await offers.withdraw(session, offer_id):
            raise NotFound(MISSING)


def known_profile(name: str | None, folder: Any) -> None:
    """Raises InvalidInput for a profile that there is no file for."""
    if name is not None and name not in (known := files.profile_names(folder)):
        fault = Fault("/profile", f"must be one of: {', '.join(known)}")
        raise InvalidInput("there is no such profile", faults=(fault,))


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in row.items() if name not in _HIDDEN}
    withdrawn = row["withdrawn_at"]
    return told | {
        "created_at": rfc3339(row["created_at"]),
        "withdrawn_at": rfc3339(withdrawn) if withdrawn else None,
        "holds_for": row["campaign_id"] or "every campaign without an offer of its own",
    }
