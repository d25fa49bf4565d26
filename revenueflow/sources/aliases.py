"""The one table of field names: what senders call a thing, and what we call it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

from revenueflow import defaults
from revenueflow.domain.base import Value
from revenueflow.domain.lead import DEFAULT_CAMPAIGN, LeadForm
from revenueflow.errors import Fault

LONGEST_VALUE = 20_000
LONGEST_NAME = 100
MESSAGE = "message"  # the one field of several lines


class AliasTable(Value):
    """defaults/field_aliases.toml."""

    lead: dict[str, list[str]]
    envelope: dict[str, list[str]]


class Understood(Value):
    """A payload in our words. `source_id` is the sender's own id of the lead."""

    campaign_id: str = DEFAULT_CAMPAIGN
    source_id: str | None = None
    form: LeadForm = LeadForm()


def fold(name: str) -> str:
    """A field name without case, spaces and punctuation."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


@cache
def _index(config_dir: Path | None) -> dict[str, tuple[str, int]]:
    table = defaults.load(AliasTable, "field_aliases.toml", config_dir)
    groups = table.lead | table.envelope
    return {fold(alias): (field, rank) for field, names in groups.items() for rank, alias in enumerate(names)}


def names(config_dir: Path | None = None) -> dict[str, str]:
    """Our fields, and the first name of each: the one that wins."""
    table = defaults.load(AliasTable, "field_aliases.toml", config_dir)
    return {field: listed[0] for field, listed in (table.lead | table.envelope).items()}


def known(name: str, config_dir: Path | None = None) -> tuple[str, int] | None:
    """The field that a sender's name stands for, and its rank among the names of that field."""
    return _remembered(name, config_dir) if len(name) <= LONGEST_NAME else None


@lru_cache(maxsize=1024)
def _remembered(name: str, config_dir: Path | None) -> tuple[str, int] | None:
    return _index(config_dir).get(fold(name))


def understand(payload: Mapping[str, object], config_dir: Path | None = None) -> Understood:
    """Maps a flat payload to our fields. Unknown names and values that are no text or number are left out."""
    best: dict[str, tuple[int, str]] = {}
    for name, value in payload.items():
        if (found := known(name, config_dir)) is None or not (text := plain(value)):
            continue
        if found[0] != MESSAGE:
            text = " ".join(text.split())
        if found[0] not in best or found[1] < best[found[0]][0]:
            best[found[0]] = (found[1], text)
    return _assemble({field: text for field, (_, text) in best.items()})


def wrong_types(payload: Mapping[str, object], config_dir: Path | None = None) -> list[Fault]:
    """A fault for each field that we know and whose value is neither text, number nor null."""
    index = _index(config_dir)
    return [
        Fault(_pointer(name), "must be a string, a number or null")
        for name, value in payload.items()
        if fold(name) in index and (isinstance(value, bool) or not isinstance(value, str | int | float | None))
    ]


def pointer_to(field: str, payload: Mapping[str, object], config_dir: Path | None = None) -> str:
    """JSON Pointer to the place where the payload has our `field`."""
    index = _index(config_dir)
    names = [name for name, value in payload.items() if index.get(fold(name), ("", 0))[0] == field and plain(value)]
    return _pointer(min(names, key=lambda name: index[fold(name)][1])) if names else f"/{field}"


def _pointer(name: str) -> str:
    # The name itself comes from the sender: it is shown only because it is one that we know.
    return "/" + name.replace("~", "~0").replace("/", "~1")


def plain(value: object) -> str | None:
    """A scalar as trimmed text without NUL and control characters; None for nothing, booleans, lists and objects."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value)[:LONGEST_VALUE].replace("\r\n", "\n")
    if text.isprintable():  # nearly all are
        return text.strip() or None
    return "".join(map(_shown, text)).strip() or None


def _shown(letter: str) -> str:
    if letter.isprintable() or letter in "\n\t\u200d":
        return letter
    return " " if letter.isspace() else ""  # no-break and ideographic spaces part words too


def _assemble(fields: dict[str, str]) -> Understood:
    joined = " ".join(filter(None, (fields.pop("first_name", None), fields.pop("last_name", None))))
    if joined and "name" not in fields:
        fields["name"] = joined
    campaign = fields.pop("campaign_id", DEFAULT_CAMPAIGN)[:200]
    source_id = fields.pop("source_id", None)
    return Understood(campaign_id=campaign, source_id=source_id, form=LeadForm(**fields))
