"""The parts of Gemini's `GenerateContentResponse` that we read. The SDK takes answers of any shape; this does not.

Source: https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from revenueflow.analysis.base import Unusable
from revenueflow.analysis.base import Usage as Tokens

BLOCKED: Final = frozenset(
    {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "LANGUAGE"}
)
UNFINISHED: Final = frozenset({"MAX_TOKENS", "FINISH_REASON_UNSPECIFIED", ""})


class _Read(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class Part(_Read):
    """A piece of text; `thought` marks what the model said to itself."""

    text: str | None = None
    thought: bool = False


class Content(_Read):
    """The pieces of one answer."""

    parts: tuple[Part, ...] = ()


class Candidate(_Read):
    """One answer, and how it ended."""

    content: Content = Content()
    finish_reason: str = ""


class Feedback(_Read):
    """Why a prompt was not answered."""

    block_reason: str | None = None


class Usage(_Read):
    """Tokens. What was thought is paid as output."""

    prompt_token_count: int = 0
    candidates_token_count: int = 0
    thoughts_token_count: int = 0


class Generated(_Read):
    """The whole response."""

    candidates: tuple[Candidate, ...] = ()
    prompt_feedback: Feedback = Feedback()
    usage_metadata: Usage = Field(default_factory=Usage)

    @classmethod
    def read(cls, upstream: str, body: str | None) -> Generated:
        """The response in a body. Raises Unusable, schema_invalid, for anything else."""
        try:
            return cls.model_validate_json(body or "{}")
        except ValidationError:
            raise Unusable(upstream, "schema_invalid") from None

    @property
    def usage(self) -> Tokens:
        """What is paid."""
        told = self.usage_metadata
        return Tokens(told.prompt_token_count, told.candidates_token_count + told.thoughts_token_count)

    def text(self, upstream: str) -> str:
        """The text of a complete answer. Raises Unusable: blocked, empty, truncated or schema_invalid."""
        if self.prompt_feedback.block_reason:
            raise Unusable(upstream, "blocked", self.usage)
        if not self.candidates:
            raise Unusable(upstream, "empty", self.usage)
        first = self.candidates[0]
        if first.finish_reason != "STOP":
            raise Unusable(upstream, _ending(first.finish_reason), self.usage)
        text = "".join(part.text or "" for part in first.content.parts if not part.thought)
        if not text.strip():
            raise Unusable(upstream, "empty", self.usage)
        return text


def _ending(finish_reason: str) -> str:
    if finish_reason in BLOCKED:
        return "blocked"
    return "truncated" if finish_reason in UNFINISHED else "schema_invalid"
