"""Reps as a CSV file: one each line, lists with spaces, `hours` as 9-17, `leave` as 2026-12-21..2027-01-01."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from revenueflow.errors import ConfigurationError, Fault, plain
from revenueflow.routing.reps import Rep

COLUMNS = (
    "id", "name", "email", "slack_id", "time_zone", "country", "subdivision", "languages", "expertise", "teams",
    "weight", "capacity", "hours", "leave", "covered_by",
)  # fmt: skip
LISTS = ("languages", "expertise", "teams")
_OTHER_NAMES = {"timezone": "time_zone", "slack": "slack_id"}


def read(text: str, name: str) -> tuple[Rep, ...]:
    """The reps of a CSV with a header. Raises ConfigurationError with file, line, column and what is allowed."""
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), restkey="")
    columns = [_column(given) for given in rows.fieldnames or ()]
    faults = [
        Fault(f"line 1: column {number}", f"unknown; allowed are {', '.join(COLUMNS)}")
        for number, column in enumerate(columns, 1)
        if column not in COLUMNS
    ]
    faults += [
        Fault("line 1", f"column {needed} is missing") for needed in ("id", "name", "email") if needed not in columns
    ]
    reps: dict[str, Rep] = {}
    for row in rows if not faults else ():
        place = f"line {rows.line_num}"
        found = _rep({_column(key): value for key, value in row.items()}, place)
        if isinstance(found, Rep) and found.id in reps:
            faults.append(Fault(f"{place}: id", "is given more than once"))
        elif isinstance(found, Rep):
            reps[found.id] = found
        else:
            faults += found
    if not reps and not faults:
        faults = [Fault("line 2", "there is no rep")]
    if faults:
        said = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults)
        raise ConfigurationError(f"{name}: {said}", faults=tuple(faults))
    return tuple(reps.values())


def cells(rep: Rep) -> dict[str, str]:
    """A rep as a line of such a file."""
    shown = rep.model_dump(mode="json")
    shown["time_zone"] = shown.pop("timezone")
    shown |= {name: " ".join(shown[name]) for name in LISTS}
    shown["hours"] = f"{rep.hours.start}-{rep.hours.end}" if rep.hours else ""
    shown["leave"] = " ".join(f"{leave.first}..{leave.last}" for leave in rep.leave)
    return {name: "" if shown[name] is None else str(shown[name]) for name in COLUMNS}


def _column(given: str) -> str:
    plain = given.strip().casefold().replace(" ", "_")
    return _OTHER_NAMES.get(plain, plain)


def _rep(row: Mapping[str, Any], place: str) -> Rep | list[Fault]:
    if "" in row:
        return [Fault(place, "has more cells than the header")]
    given = {key: value.strip() for key, value in row.items() if isinstance(value, str) and value.strip()}
    try:
        return Rep.model_validate(dict(_values(given)))
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)
        return [Fault(f"{place}: {'.'.join(map(str, one['loc']))}".rstrip(": "), plain(one["msg"])) for one in wrong]


def _values(given: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for key, value in given.items():
        if key in LISTS:
            yield key, value.split()
        elif key == "hours":
            start, _, end = value.partition("-")
            yield key, {"start": start, "end": end}
        elif key == "leave":
            yield key, [dict(zip(("first", "last"), span.split(".."), strict=False)) for span in value.split()]
        else:
            yield "timezone" if key == "time_zone" else key, value
