"""The one redactor: replaces personal data and secrets in text by placeholders.

The values of the lead that we know come first, then what looks like one. Prompts, evidence, logs, the audit trail,
error texts and everything else that leaves the lead's own rows goes through `redact`.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from revenueflow.domain.phones import national
from revenueflow.privacy import names
from revenueflow.privacy.patterns import FINDERS, Found, Kind

SHORTEST: Final = 6
_IDENTIFIER = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32,128}|\d{4}-\d\d-\d\dT[\d:.]{5,20}Z?")
# Codes of ours, and decimals.
_CODE = re.compile(r"[a-z_]{1,24}(?:[.:][a-z_]{1,24}){0,2}|(?:0|[1-9]\d{0,2})\.\d{1,9}")
# A look for what is not there costs a fraction of the search.
_DIGITS = re.compile(r"(?:\d\D*+){4}")
_OF_DIGITS: Final = frozenset({Kind.IBAN, Kind.CARD, Kind.NATIONAL_ID, Kind.PHONE})
_IDENTIFIER_IN = re.compile(rf"(?<![\w-])(?:{_IDENTIFIER.pattern})(?![\w-])")

_DIGIT = re.compile(r"\d")
# Thai, Lao, Burmese, Khmer, Chinese, Japanese, Korean: a name has no space around it there.
_SPACELESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff]")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


EVERYTHING: Final = frozenset(Kind)
"""For what people write: prose, messages, prompts."""
LINE: Final = EVERYTHING - {Kind.NAME}
"""For what we write: logs, error texts, audit. No form of ours gives away a stranger's name."""
LABEL: Final = frozenset({Kind.SECRET, Kind.CREDENTIALS, Kind.EMAIL})
"""For short fields, such as a headcount range or a product's name: numbers are data there."""


def redact(text: str, known: Known | Iterable[tuple[str, str]] = (), *, kinds: frozenset[Kind] = EVERYTHING) -> str:
    """`text` with `[EMAIL]`, `[PHONE]`, `[NAME]`, `[SECRET]`, … (see `Kind`) where such data stood. The one redactor.

    `known` holds (kind, value) pairs of the lead itself, kind being email, phone or name: matched without regard to
    case and accents, as whole words where the script has spaces. What has the form of one of `kinds` goes after them.
    The answer is in Unicode's composed form (NFC). Takes time in proportion to the text.
    """
    if known != ():
        text = (known if isinstance(known, Known) else Known(known)).redact(text)
    elif not text.isascii():
        text = unicodedata.normalize("NFC", text)
    parts: list[str] = []
    place = 0
    for start, end, kind in spans(text, kinds):
        parts += (text[place:start], f"[{kind}]")
        place = end
    return "".join((*parts, text[place:])) if parts else text


def redact_all(value: Any, *, kinds: frozenset[Kind] = LINE) -> Any:
    """`redact` for each text in a value as JSON has them, at any depth, keys too."""
    if isinstance(value, str):
        return redact(value, kinds=kinds)
    if isinstance(value, Mapping):
        return {redact_all(name, kinds=kinds): redact_all(one, kinds=kinds) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [redact_all(one, kinds=kinds) for one in value]
    return value


def spans(text: str, kinds: frozenset[Kind] = EVERYTHING) -> list[Found]:
    """Where something of these kinds is, in order; no two overlap."""
    if len(text) < SHORTEST or _CODE.fullmatch(text) or _IDENTIFIER.fullmatch(text):
        return []
    if not _DIGITS.search(text):
        kinds = kinds - _OF_DIGITS
    taken: list[Found] = [Found(*one.span(), Kind.PHONE) for one in _IDENTIFIER_IN.finditer(text)]
    ours = len(taken)
    for kind, finder in (*FINDERS, (Kind.NAME, names.found)):
        if kind in kinds:
            taken += [Found(start, end, kind) for start, end in finder(text)]
    return _apart(taken[:ours], taken[ours:])


def _apart(identifiers: Sequence[Found], found: Sequence[Found]) -> list[Found]:
    """The first of those that overlap; none inside an identifier of ours, such as a UUID, unless it is in a secret."""
    covered: list[tuple[int, int]] = []
    kept: list[Found] = []
    for one in (
        *(each for each in found if each.kind in LABEL),
        *identifiers,
        *(f for f in found if f.kind not in LABEL),
    ):
        place = bisect(covered, (one.start, one.end))
        before = place and covered[place - 1][1] > one.start
        after = place < len(covered) and covered[place][0] < one.end
        if not before and not after:
            covered.insert(place, (one.start, one.end))
            kept.append(one)
    return sorted(each for each in kept if each not in identifiers)


class Known:
    """The values of one lead, ready to be looked for in many texts."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        longest_first = sorted(pairs, key=lambda pair: -len(pair[1]))
        self._phones = [digits for kind, value in longest_first if kind == "phone" for digits in _spellings(value)]
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


def _spellings(value: str) -> list[str]:
    """The digits of a number, and those by which it is dialled from its own country."""
    given = [value, national(value) or ""]
    return [digits for one in given if (digits := _digits(one))]


def _digits(value: str) -> str:
    """Those of a number; nothing for one that is too short to be told from others."""
    digits = "".join(filter(str.isdigit, value))
    return digits if len(digits) >= 6 else ""


def _without_phone(text: str, digits: str) -> str:
    if digits not in "".join(filter(str.isdigit, text)):
        return text
    return re.sub(r"(?:\+|\(?0{1,2}\)?[ ]?|\()?" + r"[\s().\-/]{0,2}".join(map(re.escape, digits)), "[PHONE]", text)
