"""What handlers are given: the state of the app, and the caller with its role."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import ASGIApp

from revenueflow.api.limits import Alone, Limits
from revenueflow.db import api_keys
from revenueflow.db.direct import Direct
from revenueflow.db.session import Database
from revenueflow.errors import NotAllowed, NotAuthenticated, Unavailable
from revenueflow.privacy.identity import IdentityKey
from revenueflow.queue.doorbell import Doorbell
from revenueflow.settings import Settings
from revenueflow.sources.ingress import Ingress
from revenueflow.sources.spool import Spool

REMEMBERED_SECONDS = 5.0
REMEMBERED_WHILE_AWAY = 3600.0
"""Seconds for which a key that was seen is believed while Postgres can't be asked: its leads go to the spool."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: an API key and its role."""

    key_id: UUID
    role: str
    name: str


@dataclass(slots=True)
class State:
    """What one API process holds."""

    settings: Settings
    database: Database
    ingress: Ingress
    doorbell: Doorbell
    direct: Direct
    identity: IdentityKey
    poke: Callable[[], None]
    spool: Spool | None = None
    tools: ASGIApp | None = None
    remembered: dict[bytes, tuple[float, Principal]] = field(default_factory=dict)
    trials: Alone = field(default_factory=Alone)
    limits: Limits = field(init=False)

    def __post_init__(self) -> None:
        self.limits = Limits(self.settings.api)


def state_of(request: Request) -> State:
    """The state of the app that answers."""
    found = request.app.state.held
    if not isinstance(found, State):
        raise TypeError("the app was not started by its lifespan")
    return found


def trace_of(request: Request) -> str:
    """The trace id of the request."""
    return str(request.scope["trace_id"])


AppState = Annotated[State, Depends(state_of)]
TraceId = Annotated[str, Depends(trace_of)]
_bearer = HTTPBearer(auto_error=False, description="An API key, rf_…")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def require(*roles: str) -> Callable[[Request, AppState, Credentials], Awaitable[Principal]]:
    """A dependency: the caller has one of `roles`, and requests left; `admin` has all roles."""

    async def check(request: Request, state: AppState, given: Credentials) -> Principal:
        principal = await identify(state, given.credentials if given else None)
        await state.limits.count_key(request.scope, principal.key_id)
        if principal.role not in (*roles, "admin"):
            raise NotAllowed(f"role {principal.role} may not do this; it needs one of: {', '.join((*roles, 'admin'))}")
        return principal

    return check


async def identify(state: State, key: str | None) -> Principal:
    """The owner of an API key.

    A revoked key may be accepted for up to REMEMBERED_SECONDS, or until Postgres is back.
    """
    if not key or not key.startswith("rf_"):
        raise NotAuthenticated("send an API key: Authorization: Bearer rf_…")
    digest, now = api_keys.digest(key), time.monotonic()
    known = state.remembered.get(digest)
    if known and now - known[0] < REMEMBERED_SECONDS:
        return known[1]
    try:
        async with state.database.transaction() as session:
            found = await api_keys.find(session, key)
    except Unavailable:
        if known and now - known[0] < REMEMBERED_WHILE_AWAY:
            return known[1]
        raise
    if found is None:
        state.remembered.pop(digest, None)
        raise NotAuthenticated("the API key is not known, or was revoked")
    principal = Principal(found["id"], found["role"], found["name"])
    state.remembered[digest] = (now, principal)
    return principal
