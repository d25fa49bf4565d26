"""Vertex AI's wire: Gemini's generateContent under a project's path, or a publisher's with an express key."""

from __future__ import annotations

from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from revenueflow.sandbox import gemini

refuse = gemini.refuse
MODEL: Final = "publishers/google/models/{model}:generateContent"


def app() -> Starlette:
    """Serves POST /{v1|v1beta1}/[projects/{project}/locations/{location}/]publishers/google/models/{model}:…"""
    return Starlette(
        routes=[
            Route(f"/{version}/{place}{MODEL}", answer, methods=["POST"])
            for version in ("v1", "v1beta1")
            for place, answer in (("projects/{project}/locations/{location}/", _in_project), ("", _express))
        ]
    )


async def _in_project(request: Request) -> Response:
    return await _answer(request, request.headers.get("authorization", "").startswith("Bearer "))


async def _express(request: Request) -> Response:
    return await _answer(request, bool(request.headers.get("x-goog-api-key")))


async def _answer(request: Request, known: bool) -> Response:
    return await gemini.generate(request) if known else refuse(401, "key")
