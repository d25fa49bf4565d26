"""Back-tests over HTTP: what a changed scoring profile would have done with the leads of the last days."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from revenueflow import defaults
from revenueflow.api import json_body
from revenueflow.api.deps import AppState, Principal, State, require
from revenueflow.api.replays import Moment
from revenueflow.clock import utcnow
from revenueflow.db.direct import Direct
from revenueflow.db.scores import Which
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.errors import ConfigurationError, Fault, InvalidInput
from revenueflow.pipeline.backtest import MOST_MOVES, Backtest, run
from revenueflow.pipeline.rescore import Shelf
from revenueflow.scoring.profile import Profile
from revenueflow.wiring import files, profiles

router = APIRouter(prefix="/v1", tags=["scoring"])
Operator = Annotated[Principal, Depends(require("operator"))]
MOST = 10_000
LONGEST = 1_300_000
"""Bytes of a body: a profile of MOST_CHARACTERS, however its JSON escapes them."""
MOST_CHARACTERS = 200_000
"""Of a draft; ours have four thousand."""
_WHERE = "profile_toml"


class Draft(BaseModel):
    """A profile to try, as TOML, and the leads that it is tried on: since a time, or of the last days."""

    model_config = ConfigDict(extra="forbid")

    profile_toml: str = Field(max_length=MOST_CHARACTERS)
    days: int = Field(30, ge=1, le=366)
    since: Moment | None = None
    campaign_id: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")] | None = None
    limit: int = Field(MOST, ge=1, le=MOST, description="most leads")
    moves: int = Field(50, ge=0, le=MOST_MOVES, description="most leads that are listed; all are counted")


_EXAMPLE = {_WHERE: 'name = "grounded"\nversion = "2"\n…', "days": 7, "campaign_id": "spring-2027"}


@router.post("/scores/backtest", operation_id="backtestProfile", openapi_extra=json_body.openapi(Draft, _EXAMPLE))
async def backtest(request: Request, state: AppState, _: Operator) -> dict[str, Any]:
    """Scores stored leads by a draft of a profile: who changes tier, tiers and histogram before and after.

    Writes nothing, asks nobody. `complete` is false if there were more leads than `limit`. One at a time: else 429.
    """
    draft = json_body.parsed(await json_body.taken(request, LONGEST), Draft)
    with state.trials.turn("a back-test or simulation"):
        return await _tested(state, draft)


async def _tested(state: State, draft: Draft) -> dict[str, Any]:
    profile = await asyncio.to_thread(_profile, draft.profile_toml, state.settings.config_dir)
    now = utcnow()
    which = Which(draft.campaign_id, False, draft.since or now - timedelta(days=draft.days))
    vocabulary = defaults.load(Vocabulary, "vocabulary.toml", state.settings.config_dir)
    tested = Backtest(profile, vocabulary, most=draft.limit)
    # On a connection of its own: those of the ingress are for leads that come in meanwhile.
    async with Direct(state.settings.database, application="backtest", size=1) as direct:
        told = (await run(direct, _shelf(state, vocabulary), tested, which, now)).told()
    return told | {"moves": told["moves"][: draft.moves]}


def _profile(given: str, folder: Path | None) -> Profile:
    try:
        return profiles.parse(given, Path(_WHERE), folder)
    except ConfigurationError as error:
        faults = tuple(Fault(_pointer(one.pointer), one.detail) for one in error.faults)
        raise InvalidInput(error.detail, faults=faults or (Fault(f"/{_WHERE}", "is not valid TOML"),)) from None


def _pointer(key_path: str) -> str:
    return "/".join(("", _WHERE, *filter(None, key_path.split("."))))


def _shelf(state: State, vocabulary: Vocabulary) -> Shelf:
    signals = files.rules(state.settings.config_dir).signals
    return Shelf(vocabulary, {signal: rule.overwrite for signal, rule in signals.items()})
