"""The question for a second opinion: claims beside the evidence that they cite, and the form of the answer.

What leaves is masked as for an analysis; a claim about personal data does not leave at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from revenueflow.analysis.base import Form, Question
from revenueflow.analysis.prompt import LONGEST_VALUE, PLACE, PromptTemplate, escaped, lines
from revenueflow.analysis.schema import Short, Text, closed
from revenueflow.domain.claim import Claim
from revenueflow.domain.evidence import Evidence, Signal
from revenueflow.domain.opinion import Opinion, Relation
from revenueflow.domain.text import visible
from revenueflow.errors import ConfigurationError
from revenueflow.privacy.masking import Mask

CLAIMS: Final = "{claims}"
PLACES: Final = re.compile(f"{re.escape(PLACE)}|{re.escape(CLAIMS)}")
PLACEHOLDER: Final = re.compile(r"\[(?:NAME|EMAIL|PHONE)\]")
MOST_OPINIONS: Final = 100


class _Opinion(BaseModel):
    model_config = ConfigDict(extra="forbid")
    claim_id: Short
    relation: Relation
    evidence_id: Short | None = None
    quote: Text | None = None


class Opinions(BaseModel):
    """The answer as the model wrote it."""

    model_config = ConfigDict(extra="forbid")
    opinions: Annotated[list[_Opinion], Field(max_length=MOST_OPINIONS)]

    def each(self) -> tuple[Opinion, ...]:
        """The opinions, for the validator to hear."""
        return tuple(
            Opinion(
                claim_id=one.claim_id,
                relation=one.relation,
                evidence_id=one.evidence_id or "",
                quote=one.quote or "",
            )
            for one in self.opinions
        )


OPINION_SCHEMA: Final = closed(
    {
        "claim_id": {"type": "string", "description": "C1, C2, … as shown"},
        "relation": {"type": "string", "enum": [relation.value for relation in Relation]},
        "evidence_id": {"type": "string", "description": "one of the claim's `evidence`"},
        "quote": {"type": "string", "description": "verbatim from its `value`"},
    },
    ["claim_id", "relation"],
)
OPINIONS_SCHEMA: Final = closed(
    {"opinions": {"type": "array", "items": OPINION_SCHEMA, "maxItems": MOST_OPINIONS}}, ["opinions"]
)
OPINIONS: Final = Form(
    "second_opinion", OPINIONS_SCHEMA, sha256(orjson.dumps(OPINIONS_SCHEMA)).hexdigest(), "an opinion on each claim"
)


def template(text: str) -> PromptTemplate:
    """A prompt file with {claims} and {evidence}, each exactly once in its user part; raises ConfigurationError."""
    found = PromptTemplate.parse(text)
    if found.user.count(CLAIMS) != 1:
        raise ConfigurationError(f"the prompt for a second opinion needs {CLAIMS} exactly once in the user part")
    return found


def may_leave(claim: Claim, mask: Mask) -> bool:
    """False for a claim that holds, or stands for, personal data: the mask would change it, or has."""
    parts = [claim.statement, *(one.quote or "" for one in claim.citations)]
    shown = [visible(part) for part in parts]
    masked = mask.value(Signal.MESSAGE, [*shown])
    return masked == shown and not any(PLACEHOLDER.search(part) for part in shown)


def build(claims: Sequence[Claim], numbered: Mapping[str, Evidence], prompt: PromptTemplate, mask: Mask) -> Question:
    """What is asked about these claims: their statements, and the pieces that they cite, as an analysis shows them."""
    cited = {one.evidence_id for claim in claims for one in claim.citations}
    shown = {name: piece for name, piece in numbered.items() if name in cited}
    parts = {CLAIMS: "\n".join(map(_line, claims)), PLACE: lines(shown, mask)}
    # Both at once: neither may stand for a place in the other.
    user = PLACES.sub(lambda found: parts[found.group()], prompt.user)
    digest = sha256(f"{prompt.version}\x00{prompt.system}\x00{user}".encode()).hexdigest()
    return Question(prompt.system, user, digest, OPINIONS)


def read(text: str) -> Opinions | None:
    """The opinions in `text`, or None if it is not JSON, not of this form, or holds a NUL, which no column takes."""
    if "\\u0000" in text:
        return None
    try:
        return Opinions.model_validate(orjson.loads(text))
    except (orjson.JSONDecodeError, ValidationError):
        return None


def _line(claim: Claim) -> str:
    names = list(dict.fromkeys(one.evidence_id for one in claim.citations))
    shown = {"id": claim.id, "statement": visible(claim.statement)[:LONGEST_VALUE], "evidence": names}
    return escaped(orjson.dumps(shown).decode())
