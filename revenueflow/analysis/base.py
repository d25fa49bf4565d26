"""An analyst reads the numbered evidence of one run and writes claims with citations."""

from __future__ import annotations

from typing import Protocol

from revenueflow.analysis.prompt import Prompt
from revenueflow.domain.claim import Analysis


class Analyst(Protocol):
    """A model, or the rules. `name` and `model` are recorded with every analysis."""

    @property
    def name(self) -> str:
        """A short stable code, such as `gemini`."""

    @property
    def model(self) -> str:
        """The model and version that answers."""

    async def analyse(self, prompt: Prompt) -> Analysis:
        """The claims about the lead, with ids C1…Cn.

        Raises UpstreamUnavailable (rate_limited, overloaded, timeout, unreachable) and UpstreamRejected
        (bad_key, bad_request, blocked, truncated, empty, schema_invalid).
        """
