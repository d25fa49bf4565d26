"""Takes personal data out of evidence: what is stored, shown to people and asked of a model holds placeholders."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from revenueflow.domain.evidence import Evidence, Signal
from revenueflow.domain.text import visible
from revenueflow.privacy.redaction import LABEL, Known, known_values, redact
from revenueflow.privacy.titles import Titles

PROSE: Final = frozenset(
    {Signal.TITLE, Signal.MESSAGE, Signal.DESCRIPTION, Signal.NEWS, Signal.POSTS, Signal.JOB_POSTINGS}
)
"""What people write and sign: each word of the name is replaced, and whatever looks like a number or a name.
In a title a word stays that titles are made of."""
IDENTIFIERS: Final = frozenset({Signal.COMPANY_DOMAIN})


class Mask:
    """The mask of one lead: its email, phone and name, by exact and normalised match, then patterns."""

    def __init__(self, email: str | None = None, phone: str | None = None, name: str | None = None) -> None:
        pairs = known_values(email, phone, name)
        self._words = Known(pairs)
        self._titles = Titles(pairs)
        self._whole = Known((kind, value) for kind, value in pairs if kind != "name" or value == (name or "").strip())

    def evidence(self, piece: Evidence) -> Evidence:
        """The piece, itself if there is nothing to take out."""
        value = self.value(piece.signal, piece.value)
        return piece if value == piece.value else piece.model_copy(update={"value": value})

    def value(self, signal: Signal, value: JsonValue) -> JsonValue:
        """A value of any depth. Of short fields only the whole name is taken out: a firm may share a word of it."""
        if isinstance(value, str):
            return self._text(signal, value)
        if isinstance(value, list):
            return [self.value(signal, item) for item in value]
        if isinstance(value, dict):
            return {self._text(signal, name): self.value(signal, item) for name, item in value.items()}
        return value

    def _text(self, signal: Signal, text: str) -> str:
        if signal in IDENTIFIERS:
            return text
        # What can't be seen must not hide what is looked for.
        text = visible(text)
        if signal is Signal.TITLE:
            return self._titles.redact(text)
        if signal in PROSE:
            return redact(text, self._words)
        return redact(text, self._whole, kinds=LABEL)
