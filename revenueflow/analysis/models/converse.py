"""The request and the answer of Bedrock's Converse, as far as we use them.

The answer's form is asked for as a tool that the model must call: more models can do that than can `outputConfig`.
Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic.alias_generators import to_camel

from revenueflow.analysis.base import Form, Question, Unusable, Usage

TOOL: Final = "answer"
ENDINGS: Final = {
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
    "guardrail_intervened": "blocked",
    "content_filtered": "blocked",
    "malformed_model_output": "schema_invalid",
    "malformed_tool_use": "schema_invalid",
}


def body(question: Question, most_output_tokens: int) -> bytes:
    """The request. Without maxTokens Bedrock sets the model's own, up to 64,000, aside against the account's quota."""
    asked = {
        "system": [{"text": question.system}],
        "messages": [{"role": "user", "content": [{"text": question.user}]}],
        "inferenceConfig": {"maxTokens": most_output_tokens, "temperature": 0.0},
    }
    return orjson.dumps(asked)[:-1] + b"," + _rest(question.form)


@cache
def _rest(form: Form) -> bytes:
    """What is the same in all requests for this form."""
    about = f"Gives the answer: {form.about}."
    tool = {"toolSpec": {"name": TOOL, "description": about, "inputSchema": {"json": form.schema}}}
    config = {"tools": [tool], "toolChoice": {"tool": {"name": TOOL}}}
    return orjson.dumps({"toolConfig": config})[1:]


class _Read(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class ToolUse(_Read):
    """The call of a tool."""

    name: str = ""
    input: JsonValue = None


class Block(_Read):
    """A piece of the answer: text, or the call of a tool; what the model said to itself is neither."""

    text: str | None = None
    tool_use: ToolUse | None = None


class Message(_Read):
    """The pieces of the answer."""

    content: tuple[Block, ...] = ()


class Output(_Read):
    """One of several; only messages are answers to us."""

    message: Message = Message()


class TokenUsage(_Read):
    """Tokens. Those written to and read from Bedrock's prompt cache are paid too."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_write_input_tokens: int = 0


class Converse(_Read):
    """The whole answer."""

    output: Output = Output()
    stop_reason: str = ""
    told: TokenUsage = Field(default_factory=TokenUsage, alias="usage")

    @classmethod
    def read(cls, upstream: str, given: bytes) -> Converse:
        """The answer in a body. Raises Unusable, schema_invalid, for anything else."""
        try:
            return cls.model_validate_json(given or b"{}")
        except ValidationError:
            raise Unusable(upstream, "schema_invalid") from None

    @property
    def usage(self) -> Usage:
        """What is paid."""
        told = self.told
        read = told.input_tokens + told.cache_read_input_tokens + told.cache_write_input_tokens
        return Usage(read, told.output_tokens)

    def text(self, upstream: str) -> str:
        """The JSON of a complete answer: the tool's input, else the text. Raises Unusable."""
        if reason := ENDINGS.get(self.stop_reason):
            raise Unusable(upstream, reason, self.usage)
        calls = [block.tool_use for block in self.output.message.content if block.tool_use]
        if calls:
            return self._of_tool(upstream, calls[0])
        text = "".join(block.text or "" for block in self.output.message.content)
        if not text.strip():
            raise Unusable(upstream, "empty", self.usage)
        return text

    def _of_tool(self, upstream: str, call: ToolUse) -> str:
        if call.name != TOOL:
            raise Unusable(upstream, "schema_invalid", self.usage)
        if not call.input:
            raise Unusable(upstream, "empty", self.usage)
        try:
            return orjson.dumps(call.input).decode()
        except orjson.JSONEncodeError:  # a whole number of more than 64 bits, or half a character
            raise Unusable(upstream, "schema_invalid", self.usage) from None


def error_type(headers: Mapping[str, str], given: bytes) -> str:
    """The name of an error, such as `ThrottlingException`: from its header, else from the body."""
    named = headers.get("x-amzn-errortype") or ""
    return str(named).partition(":")[0] or _type_in(given)


def _type_in(given: bytes) -> str:
    try:
        told = orjson.loads(given)
    except orjson.JSONDecodeError:
        return ""
    return str(told.get("__type", "")).rpartition("#")[2] if isinstance(told, dict) else ""
