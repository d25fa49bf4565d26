"""What a person can be reached by and called, known or not: the values themselves are no facts."""

from __future__ import annotations

from typing import NamedTuple

from revenueflow.domain.phones import looks_like_one
from revenueflow.domain.scoring import LONGEST_TEXT, NO_ADDRESS, NO_NAME, NO_PHONE


class Contact(NamedTuple):
    """Of each: None if nothing was given, False if it can't be one, and True if it may be."""

    email: bool | None
    phone: bool | None
    name: bool | None

    @property
    def unread(self) -> dict[str, str]:
        """What was given and can't be one, without saying it."""
        if False not in self:
            return {}
        told = zip(self._fields, self, (NO_ADDRESS, NO_PHONE, NO_NAME), strict=True)
        return {name: said for name, known, said in told if known is False}


def contact(*, email: str | None, written: str | None, phone: str | None, name: str | None) -> Contact:
    """Of texts that say something: the address in its normal form and as it was written, the phone and the name."""
    return Contact(
        email=True if email else None if written is None else False,
        phone=None if phone is None else looks_like_one(phone),
        name=None if name is None else len(name) <= LONGEST_TEXT and has_letter(name),
    )


def has_letter(text: str) -> bool:
    """Whether a text has a letter, of any script: a title and a name do."""
    return any(map(str.isalpha, text))
