"""From evidence to a prompt: numbered E1…En, marked by trust, and unable to leave its block."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Final

import orjson
from pydantic import JsonValue

from revenueflow.domain.base import Value
from revenueflow.domain.evidence import Evidence
from revenueflow.domain.text import visible
from revenueflow.errors import ConfigurationError
from revenueflow.privacy.masking import Mask

LONGEST_VALUE: Final = 2000
LONGEST_LIST: Final = 100
MOST_EVIDENCE: Final = 120
PLACE: Final = "{evidence}"
OFFER: Final = "{offer}"
LONGEST_OFFER: Final = 4000
NOBODY: Final = Mask()
TEMPLATE = re.compile(r"\A---\n(?P<head>.*?)\n---\n\s*# System\n(?P<system>.*?)\n# User\n(?P<user>.*)\Z", re.DOTALL)
PLACES = re.compile(f"{re.escape(PLACE)}|{re.escape(OFFER)}")
VERSION = re.compile(r"^version:\s*(\S+)\s*$", re.MULTILINE)


class Prompt(Value):
    """What a model is asked. `sha256` covers all of it; `evidence` binds E1…En to this run's, in order."""

    system: str
    user: str
    version: str
    sha256: str
    evidence: dict[str, Evidence]


class PromptTemplate(Value):
    """The parts of a prompt file, before the evidence is filled in."""

    version: str
    system: str
    user: str

    @classmethod
    def parse(cls, text: str) -> PromptTemplate:
        """Front matter with `version`, then `# System` and `# User`; raises ConfigurationError."""
        parts = TEMPLATE.match(text)
        version = VERSION.search(parts["head"]) if parts else None
        if not parts or not version or parts["user"].count(PLACE) != 1 or parts["user"].count(OFFER) > 1:
            raise ConfigurationError(
                "a prompt file needs front matter with `version`, then `# System` and `# User`,"
                f" {PLACE} exactly once in the user part, and {OFFER} at most once"
            )
        return cls(version=version[1], system=parts["system"].strip(), user=parts["user"].strip())


def build(
    evidence: Iterable[Evidence], template: PromptTemplate, *, mask: Mask = NOBODY, offer: str | None = None
) -> Prompt:
    """The prompt over one run's evidence, with nothing in it that `mask` takes out; `offer` is what we sell."""
    named = numbered(evidence)
    # Both at once: neither may stand for a place in the other.
    parts = {PLACE: lines(named, mask), OFFER: shown_offer(offer)}
    user = PLACES.sub(lambda found: parts[found.group()], template.user)
    digest = hashlib.sha256(f"{template.version}\x00{template.system}\x00{user}".encode()).hexdigest()
    return Prompt(system=template.system, user=user, version=template.version, sha256=digest, evidence=named)


def numbered(evidence: Iterable[Evidence]) -> dict[str, Evidence]:
    """The evidence under the names that the prompt gives it. Beyond 120 pieces is left out, form fields never.

    What can't be seen is out of it: claims are held against what the model was shown.
    """
    return {f"E{place}": _seen(piece) for place, piece in enumerate(_kept(evidence), start=1)}


def _seen(piece: Evidence) -> Evidence:
    value = _visible(piece.value)
    return piece if value == piece.value else piece.model_copy(update={"value": value})


def _visible(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [_visible(one) for one in value]
    return {name: _visible(one) for name, one in value.items()} if isinstance(value, dict) else value


def shown_offer(offer: str | None) -> str:
    """The offer in a block of its own; nothing, where there is none."""
    text = visible(offer or "").strip()[:LONGEST_OFFER]
    return f"<offer>\n{escaped(text)}\n</offer>\n\n" if text else ""


def lines(numbered: Mapping[str, Evidence], mask: Mask = NOBODY) -> str:
    """The evidence as JSON lines, in which no value can close the block or start a new line."""
    return "\n".join(line(name, piece, mask) for name, piece in numbered.items())


def line(name: str, piece: Evidence, mask: Mask = NOBODY) -> str:
    """One piece: `{"id","provider","signal","trust","path","value"}`, with `<` and `>` escaped."""
    shown = {
        "id": name,
        "provider": visible(piece.provider),
        "signal": piece.signal.value,
        "trust": piece.trust.value,
        "path": visible(piece.path),
        "value": _capped(mask.value(piece.signal, piece.value)),
    }
    return escaped(orjson.dumps(shown).decode())


def escaped(text: str) -> str:
    """The text with what opens and closes a block written as in JSON."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e")


def _kept(evidence: Iterable[Evidence]) -> list[Evidence]:
    pieces = list(evidence)
    surplus = len(pieces) - MOST_EVIDENCE
    if surplus <= 0:
        return pieces
    vendors = [place for place, piece in enumerate(pieces) if piece.provider != "form"]
    dropped = set(vendors[-surplus:])
    return [piece for place, piece in enumerate(pieces) if place not in dropped]


def _capped(value: JsonValue) -> JsonValue:
    """The value with invisible characters removed, at most 2,000 characters of text in all."""
    if isinstance(value, str):
        return visible(value)[:LONGEST_VALUE]
    if isinstance(value, list):
        return _capped_list(value)
    if isinstance(value, dict):
        return visible(orjson.dumps(value).decode())[:LONGEST_VALUE]
    return value


def _capped_list(values: list[JsonValue]) -> list[JsonValue]:
    room, kept = LONGEST_VALUE, list[JsonValue]()
    for item in values[:LONGEST_LIST]:
        shown = _capped(item)
        room -= len(shown) if isinstance(shown, str) else len(orjson.dumps(shown))
        if room < 0:
            break
        kept.append(shown)
    return kept
