"""Replaces personal data in text by placeholders: the values we know first, then what looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterable

_EMAIL = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+", re.UNICODE)
_PHONE = re.compile(r"(?<![\w.])(?:\+|00|\(0?)?\d(?:[\s().\-/]{0,2}\d){7,14}(?![\w])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def redact(text: str, known: Iterable[tuple[str, str]] = ()) -> str:
    """`text` with `[email]`, `[phone]` and `[name]` where such data stood.

    `known` holds (kind, value) pairs of the lead itself, kind being email, phone or name: matched without regard to
    case, as whole words.
    """
    for kind, value in sorted(known, key=lambda pair: -len(pair[1])):
        text = _known(kind, value).sub(f"[{kind}]", text)
    return _PHONE.sub(_phone, redact_emails(text))


def redact_emails(text: str) -> str:
    """`text` with `[email]` for every address: safe on texts full of numbers, such as log lines."""
    return _EMAIL.sub("[email]", text) if "@" in text else text


def known_values(email: str | None, phone: str | None, name: str | None) -> list[tuple[str, str]]:
    """The pairs for `redact`: the name also word by word, as people sign."""
    words = [("name", word) for word in (name or "").split() if len(word) >= 3]
    pairs = [("email", email or ""), ("phone", phone or ""), ("name", name or ""), *words]
    return [(kind, value.strip()) for kind, value in pairs if value.strip()]


def _known(kind: str, value: str) -> re.Pattern[str]:
    if kind == "phone":
        digits = [re.escape(digit) for digit in value if digit.isdigit()]
        return re.compile(r"\+?" + r"[\s().\-/]{0,2}".join(digits)) if len(digits) >= 6 else re.compile(r"(?!)")
    return re.compile(rf"(?<!\w){re.escape(value)}(?!\w)", re.IGNORECASE)


def _phone(found: re.Match[str]) -> str:
    return found.group() if _DATE.fullmatch(found.group()) else "[phone]"
