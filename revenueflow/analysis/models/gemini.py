"""The Gemini API by google-genai: structured output, one time-out for the whole answer, two tries at most.

The SDK retries nothing, sets no time-out, and hides bad JSON and truncation: so it only carries, and we read.
Source: https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

import asyncio
from typing import Final

import httpx2
import stamina
from google import genai
from google.genai import errors, types

from revenueflow.analysis.models.generated import Generated
from revenueflow.analysis.models.refusal import upstream_error
from revenueflow.analysis.prompt import Prompt
from revenueflow.analysis.schema import ANSWER_SCHEMA, analysis, read
from revenueflow.domain.claim import Analysis
from revenueflow.errors import UpstreamRejected, UpstreamUnavailable
from revenueflow.resilience.transport import Transport

NAME: Final = "gemini"
API_VERSION: Final = "v1beta"
MOST_OUTPUT_TOKENS: Final = 8192
LONGEST_WAIT: Final = 3.0
WORTH_ANOTHER_TRY: Final = frozenset({"rate_limited", "overloaded", "unreachable"})
"""Not `timeout`: a model that was slow once has probably done, and charged, the work."""


class Gemini:
    """An Analyst. `timeout` is in seconds, for one try; `base_url` None is Google's own address."""

    name = NAME

    def __init__(
        self,
        *,
        api_key: str,
        model: str,
        base_url: str | None = None,
        timeout: float = 20.0,
        tries: int = 2,
        connections: int = 200,
    ) -> None:
        self.model = model
        self._timeout = timeout
        self._tries = tries
        # Given a client of ours, the SDK never takes aiohttp, which it prefers and retries by itself.
        self._http = httpx2.AsyncClient(transport=Transport(timeout=timeout, connections=connections))
        self._client = genai.Client(
            vertexai=False,
            api_key=api_key,
            http_options=types.HttpOptions(
                base_url=base_url,
                api_version=API_VERSION,
                timeout=round(timeout * 1000),
                httpx_async_client=self._http,
            ),
        )

    async def analyse(self, prompt: Prompt) -> Analysis:
        """Asks the model; errors as in `Analyst`. A short `Retry-After` is obeyed, a long one ends it."""
        async for attempt in stamina.retry_context(
            on=_again,
            attempts=self._tries,
            timeout=None,
            wait_initial=0.2,
            wait_max=LONGEST_WAIT,
            wait_jitter=0.3,
        ):
            with attempt:
                return await self._ask(prompt)
        raise AssertionError("stamina ends with an answer or an error")

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _ask(self, prompt: Prompt) -> Analysis:
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client.aio.models.generate_content(
                    model=self.model, contents=prompt.user, config=_config(prompt)
                )
        except (TimeoutError, httpx2.HTTPError, errors.APIError) as error:
            raise upstream_error(NAME, error) from None
        raw = response.sdk_http_response
        return self._analysis(Generated.read(NAME, raw.body if raw else None), prompt)

    def _analysis(self, generated: Generated, prompt: Prompt) -> Analysis:
        answer = read(generated.text(NAME))
        if answer is None:
            raise UpstreamRejected(NAME, "schema_invalid")
        usage = generated.usage_metadata
        return analysis(answer, prompt, analyst=NAME, model=self.model).model_copy(
            update={
                "input_tokens": usage.prompt_token_count,
                "output_tokens": usage.candidates_token_count + usage.thoughts_token_count,
            }
        )


def _config(prompt: Prompt) -> types.GenerateContentConfigDict:
    # As a dict: of a model the SDK makes deep copies.
    return {
        "system_instruction": prompt.system,
        "temperature": 0.0,
        "max_output_tokens": MOST_OUTPUT_TOKENS,
        "response_mime_type": "application/json",
        "response_json_schema": ANSWER_SCHEMA,
        "should_return_http_response": True,
        "automatic_function_calling": {"disable": True},
        "automatic_continuation": False,
    }


def _again(error: Exception) -> bool | float:
    """Whether to try again, or after how many seconds."""
    if not isinstance(error, UpstreamUnavailable) or error.reason not in WORTH_ANOTHER_TRY:
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= LONGEST_WAIT else False
