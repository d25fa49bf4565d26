"""Models on Amazon Bedrock, by Converse: one form for all of them.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import quote

import httpx2

from revenueflow.analysis.base import Asker, Question, Reply
from revenueflow.analysis.models.aws import Keys, Signer
from revenueflow.analysis.models.converse import Converse, body, error_type
from revenueflow.analysis.models.refusal import by_status, of_transport
from revenueflow.analysis.models.tries import tried
from revenueflow.analysis.prompt import Prompt
from revenueflow.analysis.schema import analysis_of, question
from revenueflow.domain.claim import Analysis
from revenueflow.errors import UpstreamError
from revenueflow.resilience.transport import Transport

NAME: Final = "bedrock"
BAD_KEY: Final = frozenset({"UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException"})


class Bedrock:
    """A Model, and an Analyst. With an `api_key` of Bedrock's nothing is signed; else with `keys`, or what is found.

    `model` is a model's or an inference profile's id or ARN; `timeout` is in seconds, for one try. Raises
    ConfigurationError if credentials are needed and the extra `bedrock` is not installed.
    """

    name = NAME

    def __init__(
        self,
        *,
        model: str,
        region: str,
        api_key: str | None = None,
        keys: Keys | None = None,
        base_url: str | None = None,
        timeout: float = 20.0,
        tries: int = 2,
        most_output_tokens: int = 8192,
        connections: int = 200,
    ) -> None:
        self.model = model
        base = (base_url or f"https://bedrock-runtime.{region}.amazonaws.com").rstrip("/")
        self._url = f"{base}/model/{quote(model, safe='')}/converse"
        self._api_key = api_key
        self._signer = None if api_key else Signer(NAME, region, keys)
        self._timeout = timeout
        self._tries = tries
        self._most = most_output_tokens
        self._transport = Transport(timeout=timeout, connections=connections)

    async def ask(self, question: Question) -> Reply:
        """Asks the model; errors as in `Model`."""
        content = body(question, self._most)
        return await tried(lambda: self._ask(content), tries=self._tries)

    async def analyse(self, prompt: Prompt, asker: Asker | None = None) -> Analysis:  # noqa: ARG002 of the Protocol
        """Asks the model; errors as in `Analyst`."""
        text, usage = await self.ask(question(prompt))
        return analysis_of(text, prompt, usage, analyst=NAME, model=self.model)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._transport.aclose()

    async def _ask(self, content: bytes) -> Reply:
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._send(content)
        except (TimeoutError, httpx2.HTTPError) as error:
            raise of_transport(NAME, error) from None
        if response.status_code != 200:
            raise _refusal(response)
        told = Converse.read(NAME, response.content)
        return Reply(told.text(NAME), told.usage)

    async def _send(self, content: bytes) -> httpx2.Response:
        headers = {"content-type": "application/json", "accept": "application/json"}
        if self._signer:
            headers = await self._signer.signed("POST", self._url, headers, content)
        else:
            headers["authorization"] = f"Bearer {self._api_key}"
        # The path is signed as it is: an httpx2 client would write it anew.
        return await self._transport.handle_async_request(
            httpx2.Request("POST", self._url, headers=headers, content=content)
        )


def _refusal(response: httpx2.Response) -> UpstreamError:
    bad_key = error_type(response.headers, response.content) in BAD_KEY  # with 400, where not with 403
    return by_status(NAME, response.status_code, response.headers, bad_key=bad_key)
