"""What a tool is: its arguments, the record that it writes or reads, and what it answers.

Argument models refuse fields that they don't know, so that nothing reaches the CRM that was not meant to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, create_model

from revenueflow.domain.action import ToolResult
from revenueflow.domain.base import Value

# Postgres holds no NUL: such a call is denied here, and not broken off half-way.
_NO_NUL = r"^[^\x00]*$"
Line = Annotated[str, Field(max_length=500, pattern=_NO_NUL)]
Text = Annotated[str, Field(max_length=8000, pattern=_NO_NUL)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Domain = Annotated[
    str, Field(max_length=253, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$")
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")]
Minor = Annotated[int, Field(ge=0, le=10**13, description="in minor units of the currency, such as cents")]
Number = Annotated[int, Field(ge=0, le=10**15)]


def _no_number(value: object) -> object:
    """A time is RFC 3339: seconds since 1970 would be coercion, as a number or in text."""
    if isinstance(value, datetime) or (isinstance(value, str) and "T" in value.upper()):
        return value
    raise ValueError("must be a time as in RFC 3339")


def _in_utc(moment: datetime) -> datetime:
    """One form for one time, in UTC to the second: CRMs give back no other."""
    try:
        return moment.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise ValueError("must be within the years 1 to 9999 in UTC") from None


def _full_date(value: object) -> object:
    """A date is YYYY-MM-DD, and nothing that can be made into one."""
    if isinstance(value, str) and len(value) == 10 and value[4] == value[7] == "-":
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError("must be a full-date as in RFC 3339")


Moment = Annotated[AwareDatetime, BeforeValidator(_no_number), AfterValidator(_in_utc)]
Day = Annotated[date, BeforeValidator(_full_date)]


class ToolArgs(Value):
    """What every tool takes. Types are exact: "7" is not 7."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    lead_id: UUID = Field(strict=False, description="the lead that the call is about")

    def slot(self) -> str:
        """Which of the lead's records of this type is meant."""
        return "main"

    def account(self) -> str | None:
        """The domain of the account that the call is about or refers to."""
        return None


class Hints(NamedTuple):
    """What an MCP client is told of a tool (`ToolAnnotations`): hints, no promises that the guard relies on."""

    read_only: bool
    destructive: bool
    idempotent: bool = True
    open_world: bool = True


READS = Hints(read_only=True, destructive=False)
ADDS = Hints(read_only=False, destructive=False)
SETS = Hints(read_only=False, destructive=True)


class Written(BaseModel):
    """What a write tells besides its status: why it was not made, after how many tries; whom it waits for; and of a dry
    run what it would write, `difference` being each field that would change as `{"from", "to"}`."""

    model_config = ConfigDict(extra="forbid")

    reason: str | None = None
    tries: int | None = None
    approval_id: UUID | None = None
    expires_at: str | None = None
    fields: dict[str, Any] | None = None
    exists: bool | None = None
    difference: dict[str, Any] | None = None
    approval_rule: str | None = None


@dataclass(frozen=True)
class Tool:
    """A tool: its arguments, and the record (`object_type`, one per lead and slot) that it writes or reads.

    `shared`: the record belongs to no lead alone, its slot says which it is. `each_call`: a call of a person or an
    agent makes a record of its own, those of the pipeline are all about one. `moves`: the argument that is a
    transition, by a table of policy.toml. `creates`: it is denied if the record exists; `follows`: if it does not.
    `told` is the form of `ToolResult.result`, `shows` of the record in it.
    """

    name: str
    args: type[ToolArgs]
    object_type: str
    hints: Hints = SETS
    target: Literal["crm", "messenger"] = "crm"
    exposed: bool = True
    renamed: Mapping[str, str] = field(default_factory=dict)
    adds: Mapping[str, Any] = field(default_factory=dict)
    shared: bool = False
    each_call: bool = False
    creates: bool = False
    follows: bool = False
    moves: str | None = None
    told: type[BaseModel] = Written
    shows: type[BaseModel] | None = None

    @property
    def reads(self) -> bool:
        """Whether it writes nothing."""
        return self.hints.read_only

    @property
    def description(self) -> str:
        """What an MCP client reads: the docstring of the arguments."""
        return " ".join((self.args.__doc__ or "").split())

    @cached_property
    def result(self) -> type[ToolResult]:
        """The answer of a call, as its output schema has it."""
        name = "".join(part.title() for part in self.name.split("_")) + "Result"
        told: Any = self.told | None
        made: type[ToolResult] = create_model(name, __base__=ToolResult, result=(told, None))
        return made

    def fields(self, args: ToolArgs) -> dict[str, Any]:
        """What is written: the arguments that were given, as JSON values.

        No two tools write the same field of one record (but those that name it): each could undo the other's.
        """
        given = args.model_dump(mode="json", exclude_none=True)
        return {**{self.renamed.get(name, name): value for name, value in given.items()}, **self.adds}
