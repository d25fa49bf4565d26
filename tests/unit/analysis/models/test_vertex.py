"""Vertex AI in a project: Google's own library finds a service account, and gets a token for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from revenueflow.analysis.models.vertex import Vertex
from tests.support.vendor_server import VendorServer
from tests.unit.analysis.evidence import prompt
from tests.unit.analysis.models.test_gemini import GOOD

VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[VendorServer]:
    """Gives tokens to a service account that is set up for this process, and answers as a model."""
    before = os.environ.get(VARIABLE)
    with VendorServer() as one:
        os.environ[VARIABLE] = str(_account(tmp_path, f"{one.url}/token"))
        try:
            yield one
        finally:
            del os.environ[VARIABLE]
            if before is not None:
                os.environ[VARIABLE] = before


def _account(folder: Path, token_uri: str) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "p-0",
        "private_key_id": "k",
        "private_key": key.decode(),
        "client_email": "robot@p-0.example",
        "client_id": "1",
        "token_uri": token_uri,
    }
    path = folder / "account.json"
    path.write_bytes(orjson.dumps(account))
    return path


async def test_the_project_the_location_and_one_token_for_many_calls(server: VendorServer) -> None:
    async def answer(request: Request) -> Response:
        if request.url.path == "/token":
            return JSONResponse({"access_token": "token-1", "expires_in": 3600, "token_type": "Bearer"})
        return JSONResponse(GOOD)

    server.answer = answer
    vertex = Vertex(project="p-1", location="europe-west4", model="m-1", base_url=server.url)
    for _ in range(2):
        found = await vertex.analyse(prompt())
    await vertex.aclose()
    assert (found.analyst, found.model, found.input_tokens) == ("vertex", "m-1", 900)
    place = "/v1beta1/projects/p-1/locations/europe-west4/publishers/google/models/m-1:generateContent"
    assert [one.path for one in server.seen] == ["/token", place, place]
    assert {one.headers["authorization"] for one in server.seen[1:]} == {"Bearer token-1"}
