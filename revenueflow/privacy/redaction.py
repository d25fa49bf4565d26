"""Replaces personal data in text by placeholders: the values we know first, then what looks like one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Starts where a run of such characters starts, and never goes back: a long text without an address takes no time.
_EMAIL = re.compile(r"(?<![\w.+'%&!~-])[\w.+'%&!~-]++@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<!\w)(?<!\d\.)(?:\+|00|\(0?)?\d(?:[\s().\-/]{0,2}\d){7,14}(?![\w])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
# Thai, Lao, Burmese, Khmer, Chinese, Japanese, Korean: a name has no space around it there.
_SPACELESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff]")


def redact(text: str, known: Iterable[tuple[str, str]] = ()) -> str:
    """`text` with `[email]`, `[phone]` and `[name]` where such data stood.

    `known` holds (kind, value) pairs of the lead itself, kind being email, phone or name: matched without regard to
    case, as whole words where the script has spaces. The answer is in Unicode's composed form (NFC).
    """
    text = unicodedata.normalize("NFC", text)
    for kind, value in sorted(known, key=lambda pair: -len(pair[1])):
        text = _known(kind, value).sub(f"[{kind}]", text)
    return _PHONE.sub(_phone, redact_emails(text))


def redact_emails(text: str) -> str:
    """`text` with `[email]` for every address: safe on texts full of numbers, such as log lines."""
    return _EMAIL.sub("[email]", text) if "@" in text else text


def known_values(email: str | None, phone: str | None, name: str | None) -> list[tuple[str, str]]:
    """The pairs for `redact`: the name also word by word, as people sign."""
    words = [("name", word) for word in (name or "").split() if len(word) >= (2 if _SPACELESS.match(word) else 3)]
    pairs = [("email", email or ""), ("phone", phone or ""), ("name", name or ""), *words]
    return [(kind, value.strip()) for kind, value in pairs if value.strip()]


def _known(kind: str, value: str) -> re.Pattern[str]:
    if kind == "phone":
        digits = [re.escape(digit) for digit in value if digit.isdigit()]
        return re.compile(r"\+?" + r"[\s().\-/]{0,2}".join(digits)) if len(digits) >= 6 else re.compile(r"(?!)")
    value = unicodedata.normalize("NFC", value)
    before = "" if _SPACELESS.match(value) else r"(?<!\w)"
    after = "" if _SPACELESS.match(value[-1:]) else r"(?!\w)"
    return re.compile(before + re.escape(value) + after, re.IGNORECASE)


def _phone(found: re.Match[str]) -> str:
    return found.group() if _DATE.fullmatch(found.group()) else "[phone]"
