"""The fake model: reads the text of the prompt and nothing else, and writes an answer as a model would."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import orjson

from revenueflow import defaults
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.sandbox.dice import Dice
from revenueflow.sandbox.gemini_attack import demanded, obeyed
from revenueflow.sandbox.gemini_claims import Draft, true_claims
from revenueflow.sandbox.gemini_evidence import Reading, read
from revenueflow.sandbox.gemini_inventions import with_inventions
from revenueflow.sandbox.gemini_opinions import Asked, Writer, asked_in

MOST_CLAIMS: Final = 40
BASE_FIT: Final = 30
FIT_OF_A_CLAIM: Final = 6


@dataclass(frozen=True, slots=True)
class Written:
    """What the model answers. `invented`: positions of the claims, or opinions, that it made up, from 0."""

    text: str
    invented: tuple[int, ...]


def write(parts: Iterable[str], dice: Dice, *, structured: bool, invent_rate: float, obey_attacker: bool) -> Written:
    """An answer to a prompt's texts: JSON where that was asked for, else one statement a line.

    A prompt that holds claims asks for opinions on them.
    """
    parts = list(parts)
    reading = read(parts, vocabulary())
    if asked := asked_in(parts):
        return _opinions(asked, Writer(reading, dice, lie=invent_rate, obey=obey_attacker))
    true = true_claims(reading, dice)
    drafts = with_inventions(true, reading, dice, invent_rate)
    fit, intent = min(95, BASE_FIT + FIT_OF_A_CLAIM * len(true)), _intent(true, reading)
    attack = obeyed(reading) if obey_attacker else None
    if attack:
        drafts = [(draft, True) for draft in demanded(reading, attack)] + drafts
        fit, intent = 100, "high"
    drafts = drafts[:MOST_CLAIMS]
    invented = tuple(place for place, (_, made_up) in enumerate(drafts) if made_up)
    claims = [draft.shown() for draft, _ in drafts]
    return Written(_text(fit, intent, claims, structured=structured), invented)


def _opinions(asked: Iterable[Asked], writer: Writer) -> Written:
    written = [writer.write(one) for one in asked]
    invented = tuple(place for place, (_, made_up) in enumerate(written) if made_up)
    return Written(orjson.dumps({"opinions": [opinion for opinion, _ in written]}).decode(), invented)


@cache
def vocabulary() -> Vocabulary:
    """The words by which the model knows what contradicts what."""
    return defaults.load(Vocabulary, "vocabulary.toml")


def _intent(true: list[Draft], reading: Reading) -> str:
    if any(draft.field == "buying_signal" for draft in true):
        return "high"
    return "medium" if reading.of("message") else "low"


def _text(fit: int, intent: str, claims: list[dict[str, Any]], *, structured: bool) -> str:
    if structured:
        return orjson.dumps({"fit": fit, "intent": intent, "claims": claims}).decode()
    return "\n".join(claim["statement"] for claim in claims) or "The evidence says nothing useful."
