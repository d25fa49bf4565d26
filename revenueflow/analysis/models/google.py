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

from revenueflow.analysis.base import Asker
from revenueflow.analysis.models.generated import Generated
from revenueflow.analysis.models.refusal import GOOGLES, of_google
from revenueflow.analysis.models.tries import tried
from revenueflow.analysis.prompt import Prompt
from revenueflow.analysis.schema import ANSWER_SCHEMA, analysis_of
from revenueflow.domain.claim import Analysis
from revenueflow.resilience.transport import Transport

MOST_OUTPUT_TOKENS: Final = 8192
CONFIG: Final[types.GenerateContentConfigDict] = {
    "should_return_http_response": True,
    "automatic_function_calling": {"disable": True},
    "automatic_continuation": False,
}


class Google:
    """An Analyst. `timeout` is in seconds, for one try; `access` is what the SDK is told of address and credential."""

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
        self._generation = {
            "temperature": 0.0,
            "maxOutputTokens": most_output_tokens,
            "responseMimeType": "application/json",
            "responseJsonSchema": ANSWER_SCHEMA,
        }
        # Given a client of ours, the SDK never takes aiohttp, which it prefers and retries by itself.
        self._http = httpx2.AsyncClient(transport=Transport(timeout=timeout, connections=connections))
        self._client = genai.Client(
            **access,
            http_options=types.HttpOptions(
                timeout=round(timeout * 1000),
                httpx_async_client=self._http,
                # As they are on the wire: the SDK would check and convert the same schema anew for each lead.
                extra_body={"generationConfig": self._generation},
                **options,
            ),
        )

    async def analyse(self, prompt: Prompt, asker: Asker | None = None) -> Analysis:  # noqa: ARG002 of the Protocol
        """Asks the model; errors as in `Analyst`."""
        return await tried(lambda: self._ask(prompt), tries=self._tries)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _ask(self, prompt: Prompt) -> Analysis:
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client.aio.models.generate_content(
                    model=self.model, contents=prompt.user, config={"system_instruction": prompt.system, **CONFIG}
                )
        except GOOGLES as error:
            raise of_google(self.name, error) from None
        raw = response.sdk_http_response
        generated = Generated.read(self.name, raw.body if raw else None)
        return analysis_of(generated.text(self.name), prompt, generated.usage, analyst=self.name, model=self.model)
