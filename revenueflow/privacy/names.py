"""Names of people whom we don't know, by the forms in which texts give them: greeting, signature, title, profile.

Names without such a form stay: a company's or a product's name looks just the same, and evidence is about those.
"""

from __future__ import annotations

import re
from typing import Final

PLACEHOLDER: Final = "[NAME]"
_WORD: Final = r"[^\W\d_a-zß-ÿ][\w'’-]+"
_NAME: Final = rf"{_WORD}(?:[ \t]+(?:(?:van|von|de|der|den|la|le|di|da|bin|al)[ \t]+)*{_WORD}){{0,2}}"
_FULL: Final = rf"{_WORD}[ \t]+(?:(?:van|von|de|der|den|la|le|di|da|bin|al)[ \t]+)*{_WORD}"
_SAYS: Final = r"(?=[,.;:)]|[ \t]+(?:said|says|told|joins|joined|announced|added|will|has|was|is)\b)"
_FORMS: Final = (
    re.compile(rf"\b(?:Mr|Mrs|Ms|Mx|Dr|Prof|Herrn?|Frau|Mme|Sra?)\.?[ \t]+(?P<name>{_NAME})"),
    re.compile(rf"\b(?i:my name is|mein name ist|ich hei(?:ß|ss)e|je m['’]appelle|me llamo)[ \t]+(?P<name>{_NAME})"),
    re.compile(
        rf"(?m)^[ \t]*(?i:hi|hello|hey|dear|hallo|liebe|lieber|bonjour|hola)[ \t]+(?P<name>{_NAME})(?=[ \t]*[,!])"
    ),
    re.compile(
        r"\b(?i:regards|wishes|sincerely|thanks|thank you|cheers|best|gr(?:ü|ue)(?:ß|ss)en?|gru(?:ß|ss)"
        r"|cordialement|saludos)"
        rf"[ \t]*(?:[,.!]?[ \t]*\n+|,)[ \t]*(?P<name>{_NAME})[ \t]*(?=$|\n|[.!]?$)"
    ),
    re.compile(rf"\b(?:CEO|CTO|CFO|COO|CMO|CRO|(?i:(?:co-?)?founder|chief \w+ officer))[ \t]+(?P<name>{_FULL}){_SAYS}"),
    re.compile(r"(?i:linkedin\.com/in/)(?!\[)(?P<name>[^\s/?#\"'<>)\]]+)"),
)
# One look tells most texts apart: each form begins with one of these.
_HINTS: Final = (
    "mr", "ms", "mx", "dr", "prof", "herr", "frau", "mme", "sr", "name", "heiße", "heisse", "appelle", "llamo", "hi ",
    "hello", "hey", "dear", "hallo", "liebe", "bonjour", "hola", "regards", "wishes", "sincerely", "thank", "cheers",
    "best", "grü", "grue", "gruß", "gruss", "cordialement", "saludos", "founder", "chief", "linkedin", "ceo", "cto",
    "cfo", "coo", "cmo", "cro",
)  # fmt: skip


def names_by_form(text: str) -> str:
    """`text` with `[NAME]` where such a form gives a name."""
    small = text.lower()
    if not any(hint in small for hint in _HINTS):
        return text
    for form in _FORMS:
        text = form.sub(_hidden, text)
    return text


def _hidden(found: re.Match[str]) -> str:
    whole, start = found.group(), found.start()
    return whole[: found.start("name") - start] + PLACEHOLDER + whole[found.end("name") - start :]
