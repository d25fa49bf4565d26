"""The API as an ASGI app: routers, error documents, and what one process holds while it lives."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from revenueflow import __version__
from revenueflow.api import imports, jobs, leads, operations, problems, webhooks
from revenueflow.api.deps import State
from revenueflow.api.trace import TraceIds
from revenueflow.db.engine import engine_for
from revenueflow.db.session import Database
from revenueflow.privacy.identity_file import identity_key
from revenueflow.queue.doorbell import Doorbell
from revenueflow.queue.poker import Poker
from revenueflow.settings import Settings
from revenueflow.sources.ingress import Ingress

ASSETS = "/docs/assets"
LOCK_TIMEOUT = 0.5  # seconds; one lead whose row is held must not keep the others waiting for their answer


def create_app(settings: Settings) -> FastAPI:
    """The app for these settings. Connections are made when it starts."""
    app = FastAPI(
        title="RevenueFlow",
        version=__version__,
        summary="Keeps inbound leads, and tells what became of them.",
        lifespan=_lifespan(settings),
        docs_url=None,
        redoc_url=None,
    )
    for router in (webhooks.router, leads.router, imports.router, jobs.router, operations.router):
        app.include_router(router)
    app.add_middleware(TraceIds)
    problems.install(app)
    _serve_docs(app)
    return app


def _lifespan(settings: Settings) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _hold(settings) as state:
            app.state.held = state
            gc.collect()
            gc.freeze()  # a full collection over the warm heap would pause requests for tens of milliseconds
            yield

    return lifespan


@asynccontextmanager
async def _hold(settings: Settings) -> AsyncIterator[State]:
    async with engine_for(settings.database, application="api", lock_timeout=LOCK_TIMEOUT) as engine:
        database, doorbell = Database(engine), Doorbell(settings.redis.url)
        poker = Poker(doorbell)
        ingress = Ingress(database, identity_key(settings.keys), poker.poke)
        poking = asyncio.create_task(poker.run())
        try:
            yield State(settings, database, ingress, doorbell)
        finally:
            poking.cancel()
            with suppress(asyncio.CancelledError):
                await poking
            await doorbell.aclose()


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
