"""Replaces personal data in text by placeholders: the values we know first, then what looks like one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from revenueflow.privacy.names import names_by_form

# Starts where a run of such characters starts, and never goes back: a long text without an address takes no time.
_EMAIL = re.compile(r"(?<![\w.+'%&!~-])[\w.+'%&!~-]++@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<!\w)(?<!\d\.)(?:\+|00|\(0?)?\d(?:[\s().\-/]{0,2}\d){7,14}(?![\w])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DIGIT = re.compile(r"\d")
# Thai, Lao, Burmese, Khmer, Chinese, Japanese, Korean: a name has no space around it there.
_SPACELESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff]")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


def redact(text: str, known: Iterable[tuple[str, str]] = ()) -> str:
    """`text` with `[EMAIL]`, `[PHONE]` and `[NAME]` where such data stood.

    `known` holds (kind, value) pairs of the lead itself, kind being email, phone or name: matched without regard to
    case and accents, as whole words where the script has spaces. The answer is in Unicode's composed form (NFC).
    """
    return redact_patterns(Known(known).redact(text))


def redact_patterns(text: str) -> str:
    """`text` without what looks like an address, a number, or the name of a person in a form that gives it away."""
    return names_by_form(redact_phones(redact_emails(text)))


class Known:
    """The values of one lead, ready to be looked for in many texts."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        longest_first = sorted(pairs, key=lambda pair: -len(pair[1]))
        self._phones = [digits for kind, value in longest_first if kind == "phone" and (digits := _digits(value))]
        self._words = [
            (words[0], words, f"[{kind.upper()}]")
            for kind, value in longest_first
            if kind != "phone" and (words := _folded(unicodedata.normalize("NFC", value))[0].split())
        ]

    def is_in(self, text: str) -> bool:
        """Whether `text` holds one of these values."""
        return self.redact(text) != unicodedata.normalize("NFC", text)

    def redact(self, text: str) -> str:
        """`text` with placeholders for these values; in composed form."""
        text = text if text.isascii() else unicodedata.normalize("NFC", text)
        plain, _ = _folded(text)
        for first, words, placeholder in self._words:
            if first in plain:  # nearly never: nothing is compiled
                text = _without(text, words, placeholder)
        if self._phones and _DIGIT.search(text):
            for digits in self._phones:
                text = _without_phone(text, digits)
        return text


def redact_emails(text: str) -> str:
    """`text` with `[EMAIL]` for every address: safe on texts full of numbers, such as log lines."""
    return _EMAIL.sub("[EMAIL]", text) if "@" in text else text


def redact_phones(text: str) -> str:
    """`text` with `[PHONE]` for what looks like a number of 8 to 15 digits; dates stay."""
    return _PHONE.sub(_phone, text) if _DIGIT.search(text) else text


def known_values(email: str | None, phone: str | None, name: str | None) -> list[tuple[str, str]]:
    """The pairs for `redact`: the name also word by word, as people sign, and as people spell umlauts."""
    words = [word for word in (name or "").split() if len(word) >= (2 if _SPACELESS.match(word) else 3)]
    names = [name or "", *words]
    spelled = [one.translate(_UMLAUTS) for one in names if one.translate(_UMLAUTS) != one]
    pairs = [("email", email or ""), ("phone", phone or ""), *(("name", one) for one in (*names, *spelled))]
    return [(kind, value.strip()) for kind, value in pairs if value.strip()]


def _without(text: str, words: list[str], placeholder: str) -> str:
    plain, places = _folded(text)
    for start, end in reversed([found.span() for found in _pattern(words).finditer(plain)]):
        first, last = (start, end) if places is None else (places[start], places[end - 1] + 1)
        text = text[:first] + placeholder + text[last:]
    return text


def _pattern(words: list[str]) -> re.Pattern[str]:
    before = "" if _SPACELESS.match(words[0]) else r"(?<!\w)"
    after = "" if _SPACELESS.match(words[-1][-1:]) else r"(?!\w)"
    # What stands between brackets is a placeholder already.
    return re.compile(rf"{before}(?<!\[)" + r"\s+".join(map(re.escape, words)) + after)


def _folded(text: str) -> tuple[str, list[int] | None]:
    """The text in small letters without accents, and where each of its characters came from (None: where it stands)."""
    if text.isascii():
        return text.lower(), None
    plain: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        base = [char] if _SPACELESS.match(char) else _letters(char)
        plain += base
        places += [place] * len(base)
    return "".join(plain), places


def _letters(char: str) -> list[str]:
    return [one for one in unicodedata.normalize("NFKD", char.casefold()) if not unicodedata.combining(one)]


def _digits(value: str) -> str:
    """Those of a number; nothing for one that is too short to be told from others."""
    digits = "".join(filter(str.isdigit, value))
    return digits if len(digits) >= 6 else ""


def _without_phone(text: str, digits: str) -> str:
    if digits not in "".join(filter(str.isdigit, text)):
        return text
    return re.sub(r"\+?" + r"[\s().\-/]{0,2}".join(map(re.escape, digits)), "[PHONE]", text)


def _phone(found: re.Match[str]) -> str:
    return found.group() if _DATE.fullmatch(found.group()) else "[PHONE]"
