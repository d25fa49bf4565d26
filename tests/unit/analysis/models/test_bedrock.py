"""Signing for Bedrock, held against AWS's algorithm written down anew."""

from __future__ import annotations

import hashlib
import hmac
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from revenueflow.analysis.models.bedrock import Bedrock
from revenueflow.errors import UpstreamRejected
from tests.support.dialects.models import ACCESS, ANSWER
from tests.support.vendor_server import VendorServer
from tests.unit.analysis.evidence import prompt

MODEL = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.some-model-v1:0"
GOOD = {
    "output": {"message": {"role": "assistant", "content": [{"text": orjson.dumps(ANSWER).decode()}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 7, "outputTokens": 5, "cacheReadInputTokens": 20, "cacheWriteInputTokens": 10},
}


@pytest.fixture
def server() -> Iterator[VendorServer]:
    with VendorServer() as one:
        yield one


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def signature(secret: str, raw_path: str, headers: dict[str, str], body: bytes, names: str, scope: str) -> str:
    """AWS Signature Version 4 for a POST without a query; the path, as sent, is encoded once more."""
    signed = "".join(f"{name}:{headers[name]}\n" for name in names.split(";"))
    request = "\n".join(("POST", quote(raw_path, safe="/-_.~"), "", signed, names, sha(body)))
    text = "\n".join(("AWS4-HMAC-SHA256", headers["x-amz-date"], scope, sha(request.encode())))
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = mac(key, part)
    return mac(key, text).hex()


async def test_a_signed_request(server: VendorServer) -> None:
    sent: list[tuple[str, dict[str, str], bytes]] = []

    async def answer(request: Request) -> Response:
        sent.append((request.scope["raw_path"].decode(), dict(request.headers), await request.body()))
        return JSONResponse(GOOD)

    server.answer = answer
    bedrock = Bedrock(keys=ACCESS, region="eu-central-1", model=MODEL, base_url=server.url)
    found = await bedrock.analyse(prompt())
    await bedrock.aclose()
    assert (found.analyst, found.model, found.input_tokens, found.output_tokens) == ("bedrock", MODEL, 37, 5)
    ((path, headers, body),) = sent
    assert path == f"/model/{quote(MODEL, safe='')}/converse"
    algorithm, _, rest = headers["authorization"].partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    key_id, _, scope = parts["Credential"].partition("/")
    assert (algorithm, key_id, scope[8:]) == ("AWS4-HMAC-SHA256", ACCESS.key_id, "/eu-central-1/bedrock/aws4_request")
    assert {"host", "x-amz-date", "x-amz-security-token"} <= set(parts["SignedHeaders"].split(";"))
    assert parts["Signature"] == signature(ACCESS.secret, path, headers, body, parts["SignedHeaders"], scope)
    asked = orjson.loads(body)
    assert asked["inferenceConfig"] == {"maxTokens": 8192, "temperature": 0.0}
    assert asked["toolConfig"]["toolChoice"] == {"tool": {"name": "answer"}}


async def test_an_api_key_of_bedrock_needs_no_signature(server: VendorServer) -> None:
    async def answer(_: Request) -> Response:
        return JSONResponse(GOOD)

    server.answer = answer
    bedrock = Bedrock(api_key="key-1", region="eu-central-1", model=MODEL, base_url=server.url)
    assert (await bedrock.analyse(prompt())).fit == 70
    await bedrock.aclose()
    assert server.seen[0].headers["authorization"] == "Bearer key-1"


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[None]:
    """An environment in which there are no AWS credentials anywhere."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"), "AWS_CONFIG_FILE": str(tmp_path / "config"),
    }  # fmt: skip
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


async def test_credentials_are_found_as_by_the_aws_cli_and_none_is_a_wrong_key(
    server: VendorServer, alone: None, tmp_path: Path
) -> None:
    async def answer(_: Request) -> Response:
        return JSONResponse(GOOD)

    server.answer = answer
    bedrock = Bedrock(region="eu-central-1", model=MODEL, base_url=server.url)
    with pytest.raises(UpstreamRejected) as caught:
        await bedrock.analyse(prompt())
    assert (caught.value.reason, server.seen) == ("bad_key", [])
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s\n")
    await bedrock.analyse(prompt())
    await bedrock.aclose()
    assert "Credential=AKIDFILE/" in server.seen[0].headers["authorization"]


WITHOUT = """
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *more: None if name == "botocore" else find(name, *more)
from revenueflow.analysis.models.bedrock import Bedrock
from revenueflow.errors import ConfigurationError
Bedrock(api_key="k", region="eu-central-1", model="m")
try:
    Bedrock(region="eu-central-1", model="m")
except ConfigurationError as error:
    print(error.detail)
"""


def test_without_the_extra_the_start_stops_and_says_what_to_install() -> None:
    command = [sys.executable, "-c", WITHOUT]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "revenueflow[bedrock]" in told and told.startswith("ANALYSTS: ")
