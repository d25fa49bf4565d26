"""What a person must look at, and what they decide about it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, JsonValue, model_validator

from revenueflow.domain.base import Value

CHECK: Final = "review"
"""`decided_by` of a claim about which a person has decided."""


Ref = Annotated[str, Field(pattern=r"^C[1-9][0-9]{0,3}$")]


class ReviewKind(StrEnum):
    """Why a person must look: no claim was supported, or the evidence leaves some of them open."""

    REJECTED = "rejected"
    AMBIGUOUS = "ambiguous"


class ReviewState(StrEnum):
    """`superseded`: a later run of the lead was judged before anybody decided."""

    OPEN = "open"
    DECIDED = "decided"
    SUPERSEDED = "superseded"


class DecisionKind(StrEnum):
    """What a person says of an analysis, or of one claim. `edit`: true if it is put in this way."""

    ACCEPT = "accept"
    REJECT = "reject"
    EDIT = "edit"


class Questions(Value):
    """What a judged run leaves to a person: the refs of the claims in question, none if `kind` is None."""

    kind: ReviewKind | None = None
    questioned: tuple[str, ...] = ()


class Edit(Value):
    """How a claim is put right: what is None stays as the model wrote it."""

    value: JsonValue = None
    statement: Annotated[str, Field(min_length=1, max_length=1000)] | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.value is None and self.statement is None:
            raise ValueError("needs a value or a statement")
        return self


class Decision(Value):
    """What a person decides about an item. `claims` and the keys of `edits` are refs of claims (C1…Cn).

    accept: these claims (or all in question) count as supported. edit: those in `edits` do, as put right there, and
    those in `claims` as they are. reject: these claims count as not supported. Claims in question that are not named
    are rejected in each case.
    """

    decision: DecisionKind
    reason: Annotated[str, Field(min_length=3, max_length=1000, pattern=r"^[^\x00]*$")]
    claims: Annotated[tuple[Ref, ...], Field(min_length=1, max_length=100)] | None = None
    edits: Annotated[dict[Ref, Edit], Field(max_length=100)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.decision is DecisionKind.EDIT) != bool(self.edits):
            raise ValueError("edits are given with the decision edit, and only with it")
        if set(self.claims or ()) & set(self.edits):
            raise ValueError("a claim is either accepted as it is, or edited")
        return self


class Decided(Value):
    """A person's decision about one claim.

    It holds for every claim with the same `fingerprint`: the same claim over the same evidence. `value` and `statement`
    are what the person has read, or written.
    """

    ref: str
    fingerprint: str
    decision: DecisionKind
    value: JsonValue = None
    statement: str
