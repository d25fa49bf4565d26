"""Names of people whom we don't know, by the forms in which texts give them: greeting, signature, title, profile.

Names without such a form stay: a company's or a product's name looks just the same, and evidence is about those.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_GAP: Final = r"[ \t]{1,8}"
_WORD: Final = r"[^\W\d_a-zß-ÿ][\w'’-]{1,40}"
_NAME: Final = rf"{_WORD}(?:{_GAP}(?:(?:van|von|de|der|den|la|le|di|da|bin|al){_GAP}){{0,4}}{_WORD}){{0,2}}"
_FULL: Final = rf"{_WORD}{_GAP}(?:(?:van|von|de|der|den|la|le|di|da|bin|al){_GAP}){{0,4}}{_WORD}"
_SAYS: Final = r"(?=[,.;:)]|[ \t]{1,8}(?:said|says|told|joins|joined|announced|added|will|has|was|is)\b)"
_FORMS: Final = (
    re.compile(rf"\b(?:Mr|Mrs|Ms|Mx|Dr|Prof|Herrn?|Frau|Mme|Sra?)\.?{_GAP}(?P<name>{_NAME})"),
    re.compile(rf"\b(?i:my name is|mein name ist|ich hei(?:ß|ss)e|je m['’]appelle|me llamo){_GAP}(?P<name>{_NAME})"),
    re.compile(
        rf"(?m)^[ \t]*+(?i:hi|hello|hey|dear|hallo|liebe|lieber|bonjour|hola){_GAP}(?P<name>{_NAME})(?=[ \t]*+[,!])"
    ),
    re.compile(
        r"\b(?i:regards|wishes|sincerely|thanks|thank you|cheers|best|gr(?:ü|ue)(?:ß|ss)en?|gru(?:ß|ss)"
        r"|cordialement|saludos)"
        rf"[ \t]*+(?:[,.!]?[ \t]*+\n++|,)[ \t]*+(?P<name>{_NAME})[ \t]*+(?=[.!]?(?:$|\n))"
    ),
    re.compile(
        rf"\b(?:CEO|CTO|CFO|COO|CMO|CRO|(?i:(?:co-?)?founder|chief \w{{1,30}} officer)){_GAP}(?P<name>{_FULL}){_SAYS}"
    ),
    re.compile(r"(?i:linkedin\.com/in/)(?!\[)(?P<name>[^\s/?#\"'<>)\]]+)"),
)
# One look tells most texts apart: each form begins with one of these.
_HINTS: Final = (
    "mr", "ms", "mx", "dr", "prof", "herr", "frau", "mme", "sr", "name", "heiße", "heisse", "appelle", "llamo", "hi ",
    "hello", "hey", "dear", "hallo", "liebe", "bonjour", "hola", "regards", "wishes", "sincerely", "thank", "cheers",
    "best", "grü", "grue", "gruß", "gruss", "cordialement", "saludos", "founder", "chief", "linkedin", "ceo", "cto",
    "cfo", "coo", "cmo", "cro",
)  # fmt: skip


def found(text: str) -> Iterator[tuple[int, int]]:
    """Where such a form gives a name."""
    small = text.lower()
    if any(hint in small for hint in _HINTS):
        for form in _FORMS:
            yield from (match.span("name") for match in form.finditer(text))
