"""The API as an ASGI app: routers, error documents, and what one process holds while it lives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, closing
from functools import partial
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from revenueflow import __version__
from revenueflow.api import (
    approvals,
    audit,
    backtests,
    campaigns,
    enrichment,
    imports,
    jobs,
    leads,
    mcp,
    offers,
    operations,
    outcomes,
    privacy,
    problems,
    reps,
    reviews,
    routing,
    scores,
    switches,
    webhooks,
)  # fmt: skip
from revenueflow.api.deps import State
from revenueflow.api.door import Api
from revenueflow.api.limits import RateLimitFields
from revenueflow.api.trace import TraceIds
from revenueflow.db.direct import Direct
from revenueflow.db.engine import engine_for
from revenueflow.db.session import Database
from revenueflow.privacy.identity_file import identity_key
from revenueflow.queue.doorbell import Doorbell
from revenueflow.queue.poker import Poker
from revenueflow.resilience import heap
from revenueflow.settings import DatabaseSettings, Settings, SpoolSettings
from revenueflow.sources.drainer import Drainer
from revenueflow.sources.ingress import Ingress
from revenueflow.sources.spool import Spool
from revenueflow.sources.storing import store_spooled
from revenueflow.wiring.tools import tools

ROUTERS = (
    leads, outcomes, offers, backtests, scores, reps, routing, enrichment, campaigns, imports, jobs, reviews, approvals,
    switches, privacy, audit, operations,
)  # fmt: skip
ASSETS = "/docs/assets"
LOCK_TIMEOUT = 0.1
"""Seconds; one lead whose row is held must not keep the others waiting for their answer."""
STATEMENT_TIMEOUT = 3.0


def create_app(settings: Settings) -> FastAPI:
    """The app for these settings. Connections are made when it starts."""
    app = Api(
        title="RevenueFlow",
        version=__version__,
        summary="Keeps inbound leads, and tells what became of them.",
        lifespan=_lifespan(settings),
        docs_url=None,
        redoc_url=None,
    )
    app.router.routes.extend(route for route, _ in webhooks.ROUTES)
    app.router.routes.extend(mcp.ROUTES)
    for router in (one.router for one in ROUTERS):
        app.include_router(router)
    _describe(app)
    app.add_middleware(RateLimitFields)
    app.add_middleware(TraceIds)
    problems.install(app)
    _serve_docs(app)
    return app


def _lifespan(settings: Settings) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _hold(settings) as state:
            app.state.held = state
            heap.settle()
            yield

    return lifespan


@asynccontextmanager
async def _hold(settings: Settings) -> AsyncIterator[State]:
    async with AsyncExitStack() as stack:
        database = Database(await stack.enter_async_context(engine_for(settings.database, application="api")))
        direct = await stack.enter_async_context(
            Direct(_hurried(settings.database), application="ingress", lock_timeout=LOCK_TIMEOUT)
        )
        doorbell = await stack.enter_async_context(aclosing(Doorbell(settings.redis.url)))
        poker = Poker(doorbell)
        await stack.enter_async_context(running(poker.run()))
        spool, identity = _spool(settings.spool, stack), identity_key(settings.keys)
        ingress = await stack.enter_async_context(aclosing(Ingress(direct, identity, poker.poke, spool)))
        if spool:
            await stack.enter_async_context(running(Drainer(spool, partial(store_spooled, direct, identity)).run()))
        state = State(settings, database, ingress, doorbell, direct, identity, poker.poke, spool)
        registry = await stack.enter_async_context(tools(settings, database, direct))
        state.tools = await stack.enter_async_context(mcp.running(settings, state, registry))
        yield state


def _hurried(settings: DatabaseSettings) -> DatabaseSettings:
    # Nobody waits longer than this for the ingress: a statement that hangs must free its connection.
    return settings.model_copy(update={"command_timeout": min(STATEMENT_TIMEOUT, settings.command_timeout)})


def _spool(settings: SpoolSettings, stack: AsyncExitStack) -> Spool | None:
    return stack.enter_context(closing(Spool(settings.dir, limit=settings.limit))) if settings.dir else None


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs `work` beside the block and cancels it at its end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def _describe(app: FastAPI) -> None:
    """Adds the webhooks, which are plain routes, to the OpenAPI document."""
    ours = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            described = ours()
            app.openapi_schema = described | {"paths": webhooks.openapi_paths() | described["paths"]}
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _serve_docs(app: FastAPI) -> None:
    # The package ships Swagger UI: the documentation works without any other host.
    app.mount(ASSETS, StaticFiles(directory=str(files("fastapi_offline") / "static")))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="RevenueFlow API",
            swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS}/favicon.png",
        )
