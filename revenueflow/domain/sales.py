"""What sales did with a lead, and until when somebody is to touch it.

An outcome here is what became of a lead with people; what a step of the pipeline comes to is in `domain/outcome`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, NamedTuple, Self
from uuid import UUID

import pycountry
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, model_validator
from uuid_utils.compat import uuid5

from revenueflow.domain.base import Value
from revenueflow.domain.lead import Tier

NAMESPACE = UUID("2a3a7c52-93c5-5e0f-8f0b-6d9a3a1d5c44")
LARGEST = 10**13


class OutcomeKind(StrEnum):
    """In the order in which a lead usually goes."""

    TOUCHED = "touched"
    MEETING = "meeting"
    CONVERTED = "converted"
    WON = "won"
    LOST = "lost"


TOUCHES = (OutcomeKind.TOUCHED, OutcomeKind.MEETING, OutcomeKind.CONVERTED, OutcomeKind.WON)
"""Whatever of these happened first is the first touch. A lead may be lost without anybody having touched it."""
ENDS = (OutcomeKind.WON, OutcomeKind.LOST)
VALUED = (OutcomeKind.CONVERTED, *ENDS)
_ORDER = list(OutcomeKind)


NO_MONEY = frozenset(("XXX", "XTS", "XAU", "XAG", "XPD", "XPT", "XBA", "XBB", "XBC", "XBD"))
"""Codes of ISO 4217 in which nobody pays: none, for tests, metals, and units of bonds."""


def _known(code: str) -> str:
    if code in NO_MONEY or pycountry.currencies.get(alpha_3=code) is None:
        raise ValueError("must be the code of a currency (ISO 4217), such as EUR")
    return code


def _in_capitals(given: object) -> object:
    return given.strip().upper() if isinstance(given, str) else given


def _in_small_letters(given: object) -> object:
    return given.strip().lower() if isinstance(given, str) else given


def _no_number(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and "T" in value.upper()):
        return value
    said = "must be a time as in RFC 3339, such as 2026-11-20T10:05:00Z"
    only_a_day = isinstance(value, str) and _DAY.fullmatch(value.strip())
    raise ValueError(f"{said}: a date alone does not say when on that day" if only_a_day else said)


_DAY = re.compile(r"\d{4}-?\d{2}-?\d{2}|\d{1,2}[./]\d{1,2}[./]\d{4}")
Moment = Annotated[AwareDatetime, BeforeValidator(_no_number)]
Currency = Annotated[str, BeforeValidator(_in_capitals), Field(max_length=3), AfterValidator(_known)]


class SalesOutcome(Value):
    """One thing that happened: `value_minor` is in minor units of `currency` (ISO 4217), such as cents.

    Outcome and currency may be written in any case: WON and eur are won and EUR.
    """

    outcome: Annotated[OutcomeKind, BeforeValidator(_in_small_letters)]
    at: Moment
    value_minor: int | None = Field(None, strict=True, ge=0, le=LARGEST)
    currency: Currency | None = None

    @model_validator(mode="after")
    def _worth(self) -> Self:
        if (self.value_minor is None) != (self.currency is None):
            raise ValueError("give value_minor and currency together, or neither")
        if self.value_minor is not None and self.outcome not in VALUED:
            raise ValueError("only converted, won and lost have a value")
        return self


def outcome_id(lead_id: UUID, said: SalesOutcome) -> UUID:
    """The same for the same statement, whoever makes it and however often."""
    told = f"{lead_id}\n{said.outcome}\n{said.at.timestamp():.6f}\n{said.value_minor}\n{said.currency}"
    return uuid5(NAMESPACE, told)


def stage_of(happened: Iterable[tuple[OutcomeKind, datetime]]) -> OutcomeKind | None:
    """Where the lead stands: the latest end if there is one, else the furthest that it came; None if nothing happened.

    The order in which it is told plays no part.
    """
    told = list(happened)
    ends = [(at, kind) for kind, at in told if kind in ENDS]
    if ends:
        return max(ends)[1]
    return max((kind for kind, _ in told), key=_ORDER.index, default=None)


class Timer(NamedTuple):
    """Somebody is given a lead: to touch it before `due_at`, with a reminder at `remind_at`.

    `rules` is the version of the table that says so.
    """

    tier: Tier
    owner_id: str
    owner_name: str
    reason: str
    rules: str
    started_at: datetime
    remind_at: datetime | None
    due_at: datetime


_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV"), 0),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""ISO 4217: digits of the minor unit, where they are not two."""


def minor_units(amount: str, currency: str) -> int:
    """An amount such as "1200.50" in minor units. Raises ValueError, without the amount."""
    try:
        exact = Decimal(amount.strip())
        scaled = exact.scaleb(_DIGITS.get(currency.strip().upper(), 2))
        if not exact.is_finite() or scaled != scaled.to_integral_value() or not 0 <= scaled <= LARGEST:
            raise ValueError("must be an amount such as 1200.50, with no more digits than the currency has")
    except ArithmeticError:
        raise ValueError("must be an amount such as 1200.50") from None
    return int(scaled)
