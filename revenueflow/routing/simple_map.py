"""The simplest routing there is, {"US": "dana", "DE": ["jonas", "lena"], "DEFAULT": "queue"}, as our rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.errors import ConfigurationError, Fault, plain
from revenueflow.routing.reps import Rep
from revenueflow.routing.rules import FollowUp, RoutingRules, Territory

DEFAULT = "DEFAULT"
_Map = TypeAdapter(Mapping[str, str | Sequence[str]])


def read(given: Any, name: str, reps: Sequence[Rep], follow_up: FollowUp, vocabulary: Vocabulary) -> RoutingRules:
    """The map as rules: one territory for each country, those named as ids, names or emails of `reps`.

    Without `reps` each is a rep with an id made of the name. With them who is not among them is refused; only the
    queue, DEFAULT, need not be. Raises ConfigurationError with file and key.
    """
    try:
        table = _Map.validate_python(given)
    except ValidationError:
        raise ConfigurationError(f"{name}: must be an object of countries, each a rep or a list of reps") from None
    if not isinstance(table.get(DEFAULT), str):
        raise ConfigurationError(f"{name}: {DEFAULT}: must name one rep, who gets what no country is for")
    known = {key.casefold(): rep.id for rep in reps for key in (rep.id, rep.name, rep.email)}
    owners = {
        key: [_id(one, known) for one in ([value] if isinstance(value, str) else value)] for key, value in table.items()
    }
    if reps:
        _refuse_strangers(table, known, name)
    missing = {rep for each in owners.values() for rep in each} - {rep.id for rep in reps}
    territories = [
        Territory(name=key, countries=(_country(key, name, vocabulary),), owners=tuple(dict.fromkeys(ids)))
        for key, ids in owners.items()
        if key != DEFAULT and ids
    ]
    fields = {
        "version": "map", "default_owner": owners[DEFAULT][0], "follow_up": follow_up.model_dump(),
        "reps": [*(rep.model_dump() for rep in reps), *(_unknown(rep) for rep in sorted(missing))],
        "territories": [one.model_dump() for one in territories],
    }  # fmt: skip
    try:
        return RoutingRules.model_validate(fields)
    except ValidationError as error:
        found = error.errors(include_input=False)
        faults = tuple(Fault(".".join(map(str, one["loc"])), plain(one["msg"])) for one in found)
        said = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults)
        raise ConfigurationError(f"{name}: {said}", faults=faults) from None


def _refuse_strangers(table: Mapping[str, str | Sequence[str]], known: Mapping[str, str], name: str) -> None:
    faults = [
        Fault(f"{key}.{number}" if isinstance(value, list) else key, f"no rep has this id, name or email: {one}")
        for key, value in table.items()
        if key != DEFAULT
        for number, one in enumerate([value] if isinstance(value, str) else value)
        if one.casefold() not in known
    ]
    if faults:
        said = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults)
        raise ConfigurationError(f"{name}: {said}", faults=tuple(faults))


def _id(given: str, known: Mapping[str, str]) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", given.partition("@")[0].casefold()).strip("-")
    return known.get(given.casefold()) or plain or "rep"


def _country(key: str, name: str, vocabulary: Vocabulary) -> str:
    code = vocabulary.country(key)
    if code is None:
        raise ConfigurationError(f"{name}: {key}: is no country, and not {DEFAULT}")
    return code


def _unknown(rep_id: str) -> dict[str, str]:
    """A rep of whom the map tells a name only."""
    return {"id": rep_id, "name": rep_id, "email": f"{rep_id}@reps.invalid", "timezone": "UTC", "country": "US"}
