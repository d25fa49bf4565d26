"""The form of a model's answer: a JSON Schema for the model, and a type that we check it with ourselves."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Final

import orjson
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
)

from revenueflow.analysis.base import Form, Question, Unusable, Usage
from revenueflow.analysis.prompt import Prompt
from revenueflow.domain.claim import Analysis, Citation, Claim, ClaimField
from revenueflow.domain.lead import Intent

MOST_CLAIMS: Final = 20
Short = Annotated[str, Field(max_length=200)]
Text = Annotated[StrictStr, Field(max_length=2000)]
Texts = Annotated[list[Text], Field(max_length=50)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AnsweredCitation(_Strict):
    """A citation as the model wrote it."""

    evidence_id: Short
    json_path: Short | None = None
    quote: Text | None = None


class AnsweredClaim(_Strict):
    """A claim as the model wrote it: without an id."""

    field: ClaimField
    value: Text | StrictBool | StrictInt | StrictFloat | Texts | None = None
    statement: Annotated[str, Field(min_length=1, max_length=1000)]
    citations: Annotated[list[AnsweredCitation], Field(max_length=20)] = Field(default_factory=list)


class Answer(_Strict):
    """The whole answer."""

    fit: Annotated[int, Field(ge=0, le=100)]
    intent: Intent
    claims: Annotated[list[AnsweredClaim], Field(max_length=2 * MOST_CLAIMS)]


def read(text: str) -> Answer | None:
    """The answer in `text`, or None if it is not JSON, not of this form, or holds a NUL, which no column takes."""
    if "\\u0000" in text:
        return None
    try:
        return Answer.model_validate(orjson.loads(text))
    except (orjson.JSONDecodeError, ValidationError):
        return None


def analysis_of(text: str, prompt: Prompt, usage: Usage, *, analyst: str, model: str) -> Analysis:
    """The analysis in a complete answer. Raises Unusable, schema_invalid."""
    answer = read(text)
    if answer is None:
        raise Unusable(analyst, "schema_invalid", usage)
    return analysis(answer, prompt, analyst=analyst, model=model).model_copy(update=usage._asdict())


def analysis(answer: Answer, prompt: Prompt, *, analyst: str, model: str) -> Analysis:
    """The answer as an analysis: claims get ids C1…Cn by position."""
    return Analysis(
        analyst=analyst,
        model=model,
        prompt_version=prompt.version,
        fit=answer.fit,
        intent=answer.intent,
        claims=tuple(_claim(place, claim) for place, claim in enumerate(answer.claims, start=1)),
    )


def _claim(place: int, answered: AnsweredClaim) -> Claim:
    citations = tuple(
        Citation(evidence_id=one.evidence_id, json_path=one.json_path, quote=one.quote) for one in answered.citations
    )
    return Claim(
        id=f"C{place}",
        field=answered.field,
        value=list(answered.value) if isinstance(answered.value, list) else answered.value,
        statement=answered.statement,
        citations=citations,
    )


def closed(properties: dict[str, object], required: list[str]) -> dict[str, object]:
    """The schema of an object with these properties and no others."""
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


CITATION_SCHEMA: Final = closed(
    {
        "evidence_id": {"type": "string", "description": "E1, E2, … as shown"},
        "json_path": {"type": "string", "description": "the `path` of that evidence"},
        "quote": {"type": "string", "description": "verbatim from its `value`"},
    },
    ["evidence_id"],
)
CLAIM_SCHEMA: Final = closed(
    {
        "field": {"type": "string", "enum": [field.value for field in ClaimField]},
        "value": {
            "anyOf": [
                {"type": "string"},
                {"type": "number"},
                {"type": "boolean"},
                {"type": "array", "items": {"type": "string"}},
                {"type": "null"},
            ]
        },
        "statement": {"type": "string"},
        "citations": {"type": "array", "items": CITATION_SCHEMA, "minItems": 1},
    },
    ["field", "value", "statement", "citations"],
)
ANSWER_SCHEMA: Final = closed(
    {
        "fit": {"type": "integer", "minimum": 0, "maximum": 100},
        "intent": {"type": "string", "enum": [intent.value for intent in Intent]},
        "claims": {"type": "array", "items": CLAIM_SCHEMA, "maxItems": MOST_CLAIMS},
    },
    ["fit", "intent", "claims"],
)
ANALYSIS: Final = Form(
    "analysis", ANSWER_SCHEMA, sha256(orjson.dumps(ANSWER_SCHEMA)).hexdigest(), "fit, intent and claims"
)


def question(prompt: Prompt) -> Question:
    """What a model is asked for an analysis."""
    return Question(prompt.system, prompt.user, prompt.sha256, ANALYSIS)
