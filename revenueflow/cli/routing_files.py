"""Routing rules, reps and leads out of files that are named on the command line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import orjson

from revenueflow import defaults
from revenueflow.domain.lead import Tier
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.domains import company_domain
from revenueflow.errors import ConfigurationError, InvalidInput
from revenueflow.routing import rep_file, rows, simple_map
from revenueflow.routing.conditions import Conditions
from revenueflow.routing.reps import Rep
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.selection import Situation
from revenueflow.settings import General, Settings
from revenueflow.sources import aliases

NAME = "routing.toml"


def rules(given: Path | None, reps: Path | None) -> RoutingRules:
    """The rules of a file (TOML, or a simple map as JSON), else our own, with the reps of a CSV if one is named.

    Raises ConfigurationError with file, key path and line; also for a rep or team that is not there.
    """
    folder = Settings.only(General).config_dir
    listed = rep_file.read(_text(reps), str(reps)) if reps else ()
    if given and given.suffix == ".json":
        follow_up = defaults.load(RoutingRules, NAME, folder).follow_up
        return simple_map.read(_json(given), str(given), listed, follow_up, vocabulary())
    found = defaults.read(RoutingRules, given) if given else defaults.load(RoutingRules, NAME, folder)
    found = found.with_reps(listed) if reps else found
    # Reps that are in the database are not looked for here.
    here = reps is not None or found.reps_in == "file"
    return checked(found, given or defaults.locate(NAME, folder)) if here else found


def checked(found: RoutingRules, where: Path) -> RoutingRules:
    """The rules. Raises ConfigurationError if they name a rep, a team or an industry that is not there."""
    faults = [*found.unknown(), *_strange(found)]
    if faults:
        text = _text(where)
        raise ConfigurationError(f"{where}: " + "; ".join(f"{one}{defaults.line_told(text, one)}" for one in faults))
    return found


def _strange(found: RoutingRules) -> Iterator[str]:
    """Key paths of industries that no lead can have."""
    known = vocabulary().industries
    groups: dict[str, Sequence[Conditions]] = {"territories": found.territories, "segments": found.segments}
    for key, rules in groups.items():
        for number, rule in enumerate(rules):
            if set(rule.industries or ()) - known.keys():
                yield f"{key}.{number}.industries: must be among {', '.join(known)}"


def vocabulary() -> Vocabulary:
    """The words that routing compares."""
    return defaults.load(Vocabulary, "vocabulary.toml", Settings.only(General).config_dir)


def leads(file: Path) -> Iterator[rows.Row]:
    """The rows of a CSV. Raises InvalidInput."""
    yield from read(table(file))


def table(file: Path) -> list[dict[str, Any]]:
    """A CSV with a header, with commas or semicolons. Raises InvalidInput."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        head = text.partition("\n")[0]
        delimiter = ";" if head.count(";") > head.count(",") else ","
        return list(csv.DictReader(text.splitlines(keepends=True), delimiter=delimiter))
    except UnicodeDecodeError:
        raise InvalidInput(f"{file}: not UTF-8 text") from None
    except csv.Error:
        raise InvalidInput(f"{file}: not a CSV file") from None


def read(given: Iterable[Mapping[str, Any]]) -> Iterator[rows.Row]:
    """Rows as routing looks at them."""
    words = vocabulary()
    for number, one in enumerate(given, 1):
        named = rows.columns(one)
        domain = company_domain(named.get("domain"), named.get("email")).domain
        yield rows.read(one, words, domain, number)


def lead(file: Path) -> tuple[rows.Row, tuple[str, ...]]:
    """A lead as a JSON object, and keys of it that nobody knows, with the nearest known one. Raises InvalidInput."""
    given = _json(file)
    if not isinstance(given, dict):
        raise InvalidInput(f'{file}: must be a JSON object, such as {{"country": "DE", "company_size": "240"}}')
    return next(read([given])), tuple(map(_with_nearest, filter(_is_no_field, rows.strange(given))))


def _is_no_field(key: str) -> bool:
    """Whether the intake does not know the key either: a name or a phone is no mistake."""
    return aliases.known(key, Settings.only(General).config_dir) is None


def _with_nearest(key: str) -> str:
    near = get_close_matches(key.casefold(), [name for names in rows.NAMES.values() for name in names], 1)
    return f"{key} (did you mean {near[0]}?)" if near else key


def reps(file: Path) -> tuple[Rep, ...]:
    """The reps of a CSV. Raises ConfigurationError with line and column."""
    return rep_file.read(_text(file), str(file))


def at(situation: Situation, now: datetime) -> Situation:
    """The same situation at a time."""
    return replace(situation, now=now)


def as_toml(found: RoutingRules) -> str:
    """Rules of territories and reps only, as people would write them."""
    hours, follow_up = found.follow_up.working_hours, found.follow_up
    lines = [
        f"version = {_quoted(found.version)}",
        f"default_owner = {_quoted(found.default_owner)}",
        "\n[follow_up]",
        f"working_hours = {{ start = {hours.start}, end = {hours.end} }}",
        *(f"{tier} = {_inline(follow_up.of(tier).model_dump(exclude_none=True))}" for tier in Tier),
    ]
    for rep in found.reps:
        lines += ["\n[[reps]]", *_keys(rep.model_dump(mode="json", exclude_defaults=True))]
    for territory in found.territories:
        lines += ["\n[[territories]]", *_keys(territory.model_dump(mode="json", exclude_none=True))]
    return "\n".join(lines) + "\n"


def _keys(table: Mapping[str, Any]) -> Iterator[str]:
    return (f"{key} = {_inline(value)}" for key, value in table.items())


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(_keys(value)) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return _quoted(value) if isinstance(value, str) else str(value)


def _quoted(value: str) -> str:
    # A JSON string is a TOML one.
    return orjson.dumps(value).decode()


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"{file}: can't be read as UTF-8 text") from None


def _json(file: Path) -> Any:
    try:
        return orjson.loads(_text(file))
    except orjson.JSONDecodeError:
        raise InvalidInput(f"{file}: not JSON") from None
