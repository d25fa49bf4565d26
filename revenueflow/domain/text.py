"""Texts by strangers: what can't be seen is taken out before anyone, or any model, reads them."""

from __future__ import annotations

import re
import unicodedata

import orjson
from pydantic import JsonValue

INVISIBLE = frozenset({"Cf", "Cc", "Cs", "Co", "Cn"})
SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\u034f\u115f\u1160\u3164\uffa0]")
SPACES = re.compile(r"\s+")
QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "′": "'"})
LINK = re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]{1,20}:(?=//)|(?:mailto|javascript|data|tel):|www\.)")
DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\uff0d]")


def visible(text: str) -> str:
    """The text without control, format, tag, private and unassigned characters; line breaks and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\u2028", "\n").replace("\u2029", "\n")
    hidden = {char for char in set(text) if not _seen(char)}
    kept = "".join(char for char in text if char not in hidden) if hidden else text
    return kept if kept.isascii() else SELECTORS.sub("", kept)


def _seen(char: str) -> bool:
    return char in "\n\t" or unicodedata.category(char) not in INVISIBLE


def comparable(text: str) -> str:
    """The form in which a quote must occur verbatim: NFKC, visible, one kind of quotes, dashes and spaces.

    Case, accents, words and digits stay as they are.
    """
    if text.isascii() and text.isprintable():  # of all spaces it can hold plain ones only
        return text.strip() if "  " not in text else SPACES.sub(" ", text).strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", DASHES.sub("-", visible(text).translate(QUOTES)))
    return SPACES.sub(" ", visible(text)).strip()


def lines_of(value: JsonValue) -> list[str]:
    """A value as text in that form: each text, number and item of a list on a line of its own."""
    if isinstance(value, str):
        return [comparable(value)]
    if isinstance(value, list):
        return [line for item in value for line in lines_of(item)]
    if isinstance(value, dict):
        return [line for item in value.values() for line in lines_of(item)]
    return [] if value is None else [orjson.dumps(value).decode()]


def neutral_cell(value: str) -> str:
    """A cell that no spreadsheet takes for a formula: one that begins like one gets an apostrophe in front."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def harmless(text: str, longest: int) -> str:
    """A stranger's text for people: on one line, without what can't be seen, with links that nobody can click."""
    line = SPACES.sub(" ", visible(text)).strip()
    return LINK.sub(lambda link: link[0].replace(":", "[:]").replace(".", "[.]"), line)[:longest].strip()
