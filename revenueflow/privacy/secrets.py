"""Secrets in texts: keys and tokens by the forms that their makers gave them, and values of telling names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_LEFT: Final = r"(?<![A-Za-z0-9_-])"
_TOKENS: Final = (
    r"eyJ[\w-]{8,4096}+\.[\w-]{8,8192}+\.[\w-]{0,4096}+",  # JWT
    r"(?:AKIA|ASIA|ABIA|ACCA|AIDA|AROA)[A-Z0-9]{16}(?![A-Z0-9])",  # AWS
    r"gh[pousr]_[A-Za-z0-9]{20,255}+",
    r"github_pat_\w{22,255}+",
    r"glpat-[\w-]{20,255}+",
    r"xox[abeoprs]-[\w-]{10,255}+",
    r"xapp-[\w-]{10,255}+",
    r"[srp]k_(?:live|test)_\w{16,255}+",
    r"whsec_[\w+/=-]{16,255}+",
    r"AIza[\w-]{35}",
    r"ya29\.[\w-]{20,2048}+",
    r"sk-[\w-]{20,255}+",
    r"SG\.[\w-]{16,64}+\.[\w-]{16,64}+",
    r"npm_[A-Za-z0-9]{36}",
    r"pypi-[\w-]{50,255}+",
    r"hf_[A-Za-z0-9]{30,64}+",
    r"pat-(?:na|eu|ap)\d-[0-9a-f-]{36}",  # HubSpot
    r"rf_[\w-]{40,64}+",  # ours
    r"(?:AC|SK)[0-9a-f]{32}(?![0-9a-z])",  # Twilio
)
_FORMS: Final = re.compile(_LEFT + f"(?:{'|'.join(_TOKENS)})")
# One look tells most texts apart: each form has one of these in it.
_MARKS: Final = (
    "eyJ", "AKIA", "ASIA", "ABIA", "ACCA", "AIDA", "AROA", "gh", "glpat-", "xox", "xapp-", "k_live_", "k_test_",
    "whsec_", "AIza", "ya29.", "sk-", "SG.", "npm_", "pypi-", "hf_", "pat-", "rf_", "AC", "SK",
)  # fmt: skip
_NAMES: Final = ("key", "secret", "token", "pass", "pwd", "sig")
_PRIVATE_KEY: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----")
_PRIVATE_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----")
_BEARER: Final = re.compile(r"(?i)\b(?:bearer|basic)[ \t]{1,4}(?P<value>[\w.~+/=-]{12,8192}+)")
_NAMED: Final = re.compile(
    r"(?i)(?<![A-Za-z0-9])(?:api[_ -]?key|access[_ -]?key(?:[_ -]?id)?|secret(?:[_ -]?(?:access[_ -]?)?key)?"
    r"|client[_ -]?secret|(?:access|refresh|auth|api|session)?[_ -]?token|pass(?:word|wd|phrase)|pwd"
    r"|accountkey|sig(?:nature)?)"
    r"[\"']?[ \t]{0,4}(?:=|:(?!//)|[ \t]is[ \t])[ \t]{0,4}[\"']?"
    r"(?P<value>(?:[^\s\"',;&\[\]<>]|&(?![\w-]{1,40}=)){6,4096}+)"
)
_USERINFO: Final = re.compile(r"(?i)\b[a-z][a-z0-9+.-]{0,20}://(?P<value>[^\s/?#@\[\]]{1,256}+)@")


SHORTEST: Final = 6


def secrets(text: str) -> Iterator[tuple[int, int]]:
    """Private keys, tokens of known forms, bearer tokens, and values of names such as `password`."""
    small = text.lower()
    if "private key" in small:
        yield from _private_keys(text)
    if any(mark in text for mark in _MARKS):
        yield from (found.span() for found in _FORMS.finditer(text))
    if "bearer" in small or "basic" in small:
        yield from (found.span("value") for found in _BEARER.finditer(text) if _is_random(found["value"]))
    if any(name in small for name in _NAMES):
        yield from (found.span("value") for found in _NAMED.finditer(text) if _is_secret(found["value"]))


def credentials(text: str) -> Iterator[tuple[int, int]]:
    """What stands between `://` and `@` in a URL."""
    if "://" in text:
        yield from (found.span("value") for found in _USERINFO.finditer(text))


def _private_keys(text: str) -> Iterator[tuple[int, int]]:
    place = 0
    while begin := _PRIVATE_KEY.search(text, place):
        end = _PRIVATE_END.search(text, begin.end())
        place = end.end() if end else len(text)
        yield begin.start(), place


def _is_random(value: str) -> bool:
    """A word of a language is none: "basic functionality"."""
    return any(char.isdigit() for char in value) or not value.isalpha()


def _is_secret(value: str) -> bool:
    """A word of a language is none, with one case or a capital in front."""
    value = value.rstrip(".,:!?)")
    is_word = value.isalpha() and value in (value.lower(), value.title(), value.upper())
    return len(value) >= SHORTEST and not is_word
