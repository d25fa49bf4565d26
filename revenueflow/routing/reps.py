"""A rep: a person, or a queue, that can own leads; what it knows, when it works, how much it takes."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
from pydantic import Field, PositiveInt, StringConstraints, field_validator, model_validator

from revenueflow.domain.base import Value

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
RepId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]
MOST_LEAVES = 100


class WorkingHours(Value):
    """Full hours of the owner's local time."""

    start: int = Field(ge=0, le=23)
    end: int = Field(ge=1, le=24)

    @model_validator(mode="after")
    def _right_way_round(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end must be after start")
        return self


class Leave(Value):
    """Days on which a rep gets no leads, both included."""

    first: date
    last: date

    @model_validator(mode="after")
    def _right_way_round(self) -> Self:
        if self.last < self.first:
            raise ValueError("last must not be before first")
        return self


class Rep(Value):
    """A person, or a queue, that can own leads. `country`, `subdivision`: whose public holidays it keeps.

    `expertise` holds industries (canonical keys) or campaigns; `weight` is the share of turns among equals; `capacity`
    the most open leads; `hours` own working hours, else those of [follow_up]; `covered_by` stands in during leave, and
    after hours where a rule says so.
    """

    id: RepId
    name: str = Field(min_length=1, max_length=200)
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=320)
    slack_id: str | None = Field(None, max_length=100)
    timezone: str
    country: Country
    subdivision: str | None = None
    languages: tuple[Language, ...] = ()
    expertise: tuple[Word, ...] = ()
    teams: tuple[Word, ...] = ()
    weight: PositiveInt = Field(1, le=100)
    capacity: PositiveInt | None = None
    hours: WorkingHours | None = None
    leave: tuple[Leave, ...] = Field((), max_length=MOST_LEAVES)
    covered_by: RepId | None = None

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("must be an IANA time-zone name, such as Europe/Berlin") from None
        return name

    @model_validator(mode="after")
    def _holidays(self) -> Self:
        supported = holidays.list_supported_countries(include_aliases=False)
        if self.country not in supported:
            raise ValueError("country: no public holidays are known for it")
        if self.subdivision and self.subdivision not in supported[self.country]:
            raise ValueError(f"subdivision: must be one of {', '.join(supported[self.country])}")
        return self

    @model_validator(mode="after")
    def _somebody_else(self) -> Self:
        if self.covered_by == self.id:
            raise ValueError("covered_by: must be somebody else")
        return self
