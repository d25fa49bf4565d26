"""An analyst reads the numbered evidence of one run and writes claims with citations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, eq=False)
class Form:
    """What an answer must look like: a JSON Schema, its SHA-256, and what it is `about` in a few words.

    `name` is a short stable code, such as `analysis`. There is one of each, so they are told apart by identity.
    """

    name: str
    schema: Mapping[str, object]
    sha256: str
    about: str


class Question(NamedTuple):
    """What a model is asked. `sha256` covers everything but the form."""

    system: str
    user: str
    sha256: str
    form: Form


class Reply(NamedTuple):
    """The text of a complete answer, and what it cost in tokens. Whether it has the form is for the asker to check."""

    text: str
    usage: Usage


class Model(Protocol):
    """A model on its wire: it answers any question that has a form."""

    @property
    def name(self) -> str:
        """A short stable code, such as `gemini`."""

    @property
    def model(self) -> str:
        """The model and version that answers."""

    async def ask(self, question: Question) -> Reply:
        """The answer. Raises as `Analyst`, but for what only shared and paid answers raise."""


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
