"""An analyst reads the numbered evidence of one run and writes claims with citations."""

from __future__ import annotations

from typing import NamedTuple, Protocol
from uuid import UUID

from revenueflow.analysis.prompt import Prompt
from revenueflow.domain.claim import Analysis
from revenueflow.errors import Unavailable, UpstreamRejected


class Asker(NamedTuple):
    """Whose evidence it is, and the run that pays."""

    lead_id: UUID
    run: UUID


class Usage(NamedTuple):
    """Tokens of one answer. What a model thought is paid as output."""

    input_tokens: int = 0
    output_tokens: int = 0


class Unusable(UpstreamRejected):
    """The model answered, and is paid, but the answer is blocked, empty, truncated or not of our form."""

    code = "unusable"

    def __init__(self, upstream: str, reason: str, usage: Usage = Usage()) -> None:  # noqa: B008 immutable
        super().__init__(upstream, reason)
        self.usage = usage


class Underway(Unavailable):
    """Another worker asks the same at this moment: its answer will be there soon."""

    code = "underway"


class Analyst(Protocol):
    """A model, or the rules. `name` and `model` are recorded with every analysis."""

    @property
    def name(self) -> str:
        """A short stable code, such as `gemini`."""

    @property
    def model(self) -> str:
        """The model and version that answers."""

    async def analyse(self, prompt: Prompt, asker: Asker | None = None) -> Analysis:
        """The claims about the lead, with ids C1…Cn. `asker` is who waits and pays; None: nobody keeps books.

        Raises UpstreamUnavailable (rate_limited, overloaded, timeout, unreachable, breaker_open, cap_money, cap_tokens,
        spending_stopped), UpstreamRejected (bad_key, bad_request), Unusable (blocked, truncated, empty,
        schema_invalid), and, where answers are shared, Underway.
        """
