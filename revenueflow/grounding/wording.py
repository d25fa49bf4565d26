"""What a sentence is made of: content words, names, negation. Linear in the text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from revenueflow.domain.phrases import fold, words
from revenueflow.grounding.rules import Words
from revenueflow.grounding.stems import stem as stem

TOKEN = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?(?:[+#]+(?!\w))?")
CONTRACTED = re.compile(r"n['’]t\b", re.IGNORECASE)
COMPOUND = re.compile(r"\b(no|non|not)-(?=\w)", re.IGNORECASE)
OPENERS = " \t\"'(“„‘"
LONGEST_PHRASE = 4


def negated(text: str, lists: Words, known: tuple[str, ...] | None = None) -> bool:
    """True if the text denies something: an odd number of negations, harmless turns of phrase not counted.

    `known` are its words, where they are known already.
    """
    plain = not ("'" in text or "’" in text or "-" in text)
    tokens = known if plain and known is not None else _spelled_out(text)
    if lists.negation_starts.isdisjoint(tokens):
        return False
    count, place = 0, 0
    while place < len(tokens):
        if tokens[place] not in lists.negation_openers:
            place += 1
            continue
        skip = _phrase(tokens, place, lists.harmless)
        denial = 0 if skip else _phrase(tokens, place, lists.negating) or int(tokens[place] in lists.negations)
        count += denial > 0
        place += skip or denial or 1
    return count % 2 == 1


def _spelled_out(text: str) -> tuple[str, ...]:
    return words(COMPOUND.sub(r"\1", CONTRACTED.sub(" not", text)))


def _phrase(tokens: tuple[str, ...], place: int, phrases: frozenset[tuple[str, ...]]) -> int:
    """The length of the longest of the phrases that begins here; 0 if none does."""
    for length in range(LONGEST_PHRASE, 0, -1):
        if tokens[place : place + length] in phrases:
            return length
    return 0


def content(tokens: Iterable[str], lists: Words) -> frozenset[str]:
    """The stems of the words that carry a fact."""
    return frozenset(stem(word) for word in tokens if word not in lists.empty)


def names(text: str, lists: Words) -> tuple[str, ...]:
    """Folded words written like names, except generic ones: capitals, or digits inside a word.

    Where a sentence begins, a capital is a name only as the subject of a verb ("Siemens has …").
    """
    named = dict[str, None]()
    last: re.Match[str] | None = None
    for match in TOKEN.finditer(text):
        if last is not None:
            _note(named, text, last, match[0], lists)
        last = None if match[0].islower() else match
    if last is not None:
        _note(named, text, last, "", lists)
    return tuple(named)


def _note(named: dict[str, None], text: str, match: re.Match[str], following: str, lists: Words) -> None:
    word = fold(match[0])
    if word not in lists.generic and _like_name(text, match, word, fold(following), lists):
        named[word] = None


def _like_name(text: str, match: re.Match[str], word: str, following: str, lists: Words) -> bool:
    written = match[0]
    if any(char.isupper() or char.isdigit() for char in written[1:]):
        return not written[0].isdigit()
    if not written[0].isupper():
        return False
    if not _begins_sentence(text, match.start()):
        return True
    if word in lists.empty or word in lists.subjects:
        return False
    return following in lists.subject_verbs or text[match.end() :].lstrip(" &")[:1].isupper()


def _begins_sentence(text: str, place: int) -> bool:
    before = text[max(0, place - 6) : place].rstrip(OPENERS)
    return before[-1] in ".!?:;\n" if before else place <= 6


def number_words(text: str, lists: Words) -> frozenset[str]:
    """Numbers that are written as words."""
    return frozenset(words(text)) & lists.number_words


def without(text: str, phrases: Iterable[str]) -> str:
    """The text with each of some phrases taken out where it stands as whole words, whatever its case."""
    for phrase in phrases:
        lowered, wanted = text.lower(), phrase.lower()
        if wanted not in lowered or len(lowered) != len(text):
            continue
        place = lowered.find(wanted)
        while place >= 0:
            end = place + len(wanted)
            if not (text[place - 1 : place].isalnum() or text[end : end + 1].isalnum()):
                text = text[:place] + " " * len(wanted) + text[end:]
            place = lowered.find(wanted, end)
    return text
