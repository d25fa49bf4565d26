"""Gemini by google-genai, wherever it runs: structured output, one time-out for the whole answer, two tries at most.

The SDK retries nothing, sets no time-out, and hides bad JSON and truncation: so it only carries, and we read.
Source: https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import httpx2
from google import genai
from google.genai import types

from revenueflow.analysis.base import Asker, Form, Question, Reply
from revenueflow.analysis.models.generated import Generated
from revenueflow.analysis.models.refusal import GOOGLES, of_google
from revenueflow.analysis.models.tries import tried
from revenueflow.analysis.prompt import Prompt
from revenueflow.analysis.schema import ANALYSIS, analysis_of, question
from revenueflow.domain.claim import Analysis
from revenueflow.resilience.http import tls
from revenueflow.resilience.transport import Transport

MOST_OUTPUT_TOKENS: Final = 8192
CONFIG: Final[types.GenerateContentConfigDict] = {
    "should_return_http_response": True,
    "automatic_function_calling": {"disable": True},
    "automatic_continuation": False,
}


class Google:
    """A Model, and an Analyst.

    `timeout` is in seconds, for one try; `access` is what the SDK is told of address and credential.
    """

    def __init__(
        self,
        name: str,
        model: str,
        access: dict[str, Any],
        options: dict[str, Any],
        *,
        timeout: float = 20.0,
        tries: int = 2,
        most_output_tokens: int = MOST_OUTPUT_TOKENS,
        connections: int = 200,
    ) -> None:
        self.name = name
        self.model = model
        self._timeout = timeout
        self._tries = tries
        self._most = most_output_tokens
        self._access = access
        self._options = options
        # Given a client of ours, the SDK never takes aiohttp, which it prefers and retries by itself.
        self._http = httpx2.AsyncClient(transport=Transport(timeout=timeout, connections=connections))
        self._clients: dict[Form, genai.Client] = {}
        self._client(ANALYSIS)

    async def ask(self, question: Question) -> Reply:
        """Asks the model; errors as in `Model`."""
        client = self._client(question.form)
        return await tried(lambda: self._ask(client, question), tries=self._tries)

    async def analyse(self, prompt: Prompt, asker: Asker | None = None) -> Analysis:  # noqa: ARG002 of the Protocol
        """Asks the model; errors as in `Analyst`."""
        text, usage = await self.ask(question(prompt))
        return analysis_of(text, prompt, usage, analyst=self.name, model=self.model)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _ask(self, client: genai.Client, question: Question) -> Reply:
        try:
            async with asyncio.timeout(self._timeout):
                response = await client.aio.models.generate_content(
                    model=self.model, contents=question.user, config={"system_instruction": question.system, **CONFIG}
                )
        except GOOGLES as error:
            raise of_google(self.name, error) from None
        raw = response.sdk_http_response
        generated = Generated.read(self.name, raw.body if raw else None)
        return Reply(generated.text(self.name), generated.usage)

    def _client(self, form: Form) -> genai.Client:
        """The SDK's client for answers of this form; all share the connections. Made once: that takes a while."""
        if form not in self._clients:
            generation = {
                "temperature": 0.0,
                "maxOutputTokens": self._most,
                "responseMimeType": "application/json",
                "responseJsonSchema": form.schema,
            }
            self._clients[form] = genai.Client(
                **self._access,
                http_options=types.HttpOptions(
                    # Of clients that are never used: reading the certificates anew takes longer than a call.
                    client_args={"verify": tls()},
                    async_client_args={"ssl": tls()},
                    timeout=round(self._timeout * 1000),
                    httpx_async_client=self._http,
                    # As they are on the wire: the SDK would check and convert the same schema anew for each lead.
                    extra_body={"generationConfig": generation},
                    **self._options,
                ),
            )
        return self._clients[form]
