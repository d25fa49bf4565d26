"""Looks for one person in what nobody understood: quarantined deliveries and rejected rows, in whatever form.

By address, number and profile, each normalised. A name alone tells nobody apart, and is not looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape
from urllib.parse import unquote_plus

from revenueflow.privacy.identity import normalise_email, normalise_linkedin
from revenueflow.privacy.redaction import Known

_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_ADDRESS = re.compile(r"(?<![\w.+'%&!~-])[\w.+'%&!~-]++@[\w-]+(?:\.[\w-]+)+")
LEAST_DIGITS = 8
"""Of a number by which somebody is recognised."""


class Person:
    """The addresses, numbers and profiles of one person, ready to be looked for in many texts."""

    def __init__(self, emails: Iterable[str], phones: Iterable[str], profiles: Iterable[str]) -> None:
        numbers = (phone for phone in phones if sum(map(str.isdigit, phone)) >= LEAST_DIGITS)
        slugs = (f"linkedin.com/in/{slug}" for profile in profiles if (slug := normalise_linkedin(profile)))
        pairs = [("email", one) for one in (*emails, *slugs) if one] + [("phone", one) for one in numbers]
        self._known = Known(pairs)
        self.is_anybody = bool(pairs)

    def is_in(self, data: bytes | str) -> bool:
        """Whether the data hold one of them: as text, percent-encoded, or escaped as in JSON or HTML."""
        return self.is_anybody and any(self._known.is_in(text) for text in _readings(data))


def addresses(data: bytes | str) -> set[str]:
    """The addresses in the data, normalised."""
    found = {one for text in _readings(data) for one in _ADDRESS.findall(text)}
    return {email for one in found if (email := normalise_email(one))}


def _readings(data: bytes | str) -> Iterator[str]:
    text = data if isinstance(data, str) else _decoded(data)
    yield text
    if "%" in text or "+" in text:
        yield unquote_plus(text)
    if "\\u" in text:
        yield _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    if "&#" in text or "&amp;" in text or "&commat;" in text:
        yield unescape(text)


def _decoded(data: bytes) -> str:
    for mark, name in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[2:].decode(name, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
