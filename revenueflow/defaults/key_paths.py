"""The key path of a mistake as it stands in the file, and the keys that its place may have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from revenueflow.errors import plain

_UNKNOWN, _MISSING = "extra_forbidden", "missing"
MOST = 100
LONGEST = 200
"""Characters of a key that are told."""
Path: TypeAlias = tuple[str | int, ...]


def mistakes(model: type[BaseModel], given: Any, error: ValidationError) -> list[tuple[Path, str]]:
    """The place and what is wrong there, of the first MOST mistakes in what was given to `model`; never the value."""
    found = error.errors(include_input=False, include_url=False)[:MOST]
    return [(_place(given, one), _detail(model, one)) for one in found]


def _place(given: Any, error: ErrorDetails) -> Path:
    """Where in what was given the mistake is. A validator also names the member of a union, or the kind of a value,
    that it tried: these are no keys, and are left out.
    """
    path: Path = ()
    for number, part in enumerate(error["loc"], 1):
        missing = error["type"] == _MISSING and number == len(error["loc"])
        if isinstance(given, Mapping) and (part in given or missing):
            given = given.get(part)
        elif isinstance(given, list) and isinstance(part, int) and part < len(given):
            given = given[part]
        else:
            continue
        path += (part if isinstance(part, int) else _short(part),)
    return path


def _short(key: str) -> str:
    """A key of a hundred thousand characters would stand in each of the mistakes below it."""
    return key if len(key) <= LONGEST else f"{key[:LONGEST]}…"


def _detail(model: type[BaseModel], error: ErrorDetails) -> str:
    """What is wrong, in plain words; of a key that there is not, the one that may be meant, and all that there are."""
    said = plain(error["msg"])
    if error["type"] != _UNKNOWN:
        return said
    *above, last = error["loc"]
    keys = sorted(_keys(model, above))
    meant = get_close_matches(str(last).casefold(), keys, 1, 0.7)
    said += f"; did you mean `{meant[0]}`?" if meant else ""
    return f"{said}{'' if meant else ';'} allowed: {', '.join(keys)}" if keys else said


def _keys(model: type[BaseModel], path: Iterable[str | int]) -> set[str]:
    here: list[Any] = [model]
    for part in path:
        here = [below for one in here for below in _below(one, part)]
    return {key for one in here for key in _own(one)}


def _own(kind: Any) -> Iterator[str]:
    for model in _members(kind):
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from (field.alias or name for name, field in model.model_fields.items())


def _below(kind: Any, part: str | int) -> Iterator[Any]:
    """What stands under a key, a number, or the name of a member of a union."""
    members = list(_members(kind))
    tagged = [one for one in members if len(members) > 1 and part in _tags(one)]
    yield from tagged
    for one in members if not tagged else ():
        arguments = get_args(one)
        if isinstance(one, type) and issubclass(one, BaseModel):
            yield from (field.annotation for name, field in one.model_fields.items() if part in (name, field.alias))
        elif isinstance(part, int) and arguments:
            yield arguments[0]
        elif len(arguments) == 2:
            yield arguments[1]


def _members(kind: Any) -> Iterator[Any]:
    if get_origin(kind) is Annotated:
        yield from _members(get_args(kind)[0])
    elif get_origin(kind) in (Union, UnionType):
        for one in get_args(kind):
            yield from _members(one)
    else:
        yield kind


def _tags(kind: Any) -> Iterator[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind.__name__
        for field in kind.model_fields.values():
            if get_origin(field.annotation) is Literal:
                yield from get_args(field.annotation)
