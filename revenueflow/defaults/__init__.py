"""The files that people edit: policy, prompts, profiles, tables. `REVENUEFLOW_CONFIG_DIR` overrides them one by one."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, time
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from revenueflow.defaults import bounds, key_paths
from revenueflow.defaults.toml_lines import Lines
from revenueflow.errors import ConfigurationError, Fault

HERE = Path(__file__).parent
M = TypeVar("M", bound=BaseModel)


def locate(name: str, config_dir: Path | None = None) -> Path:
    """The file `name` (such as "prompts/analyse.md"): from `config_dir` if it is there, else ours."""
    override = config_dir / name if config_dir else None
    if override and override.exists() and not override.is_file():
        raise ConfigurationError(f"{override}: is no file; what is meant to replace ours must be one")
    path = override if override and override.is_file() else HERE / name
    if not path.is_file():
        raise ConfigurationError(f"{name}: no such file, neither in REVENUEFLOW_CONFIG_DIR nor among the defaults")
    return path


@cache
def text(name: str, config_dir: Path | None = None) -> str:
    """The text of a file. Read once per process: a change needs a restart, so that a version is one version.

    Raises ConfigurationError with the file.
    """
    path = locate(name, config_dir)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}") from None


def toml(name: str, config_dir: Path | None = None) -> dict[str, Any]:
    """The table in a TOML file. Raises ConfigurationError with file, line and column."""
    given = text(name, config_dir)
    with _named(locate(name, config_dir)):
        return _table(given)


def load(model: type[M], name: str, config_dir: Path | None = None) -> M:
    """A TOML file as a model. Raises ConfigurationError that names file, each key path, line and what is allowed."""
    return _told(_kept, model, text(name, config_dir), locate(name, config_dir))


def read(model: type[M], path: Path) -> M:
    """As `load`, for a file anywhere, read anew each time."""
    return parse(model, text_of(path), path)


def text_of(path: Path) -> str:
    """The text of a file anywhere, read anew each time. Raises ConfigurationError with the file."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"{path}: can't be read as UTF-8 text") from None


def parse(model: type[M], given: str, path: Path) -> M:
    """TOML as a model; `path` is what errors name. Raises ConfigurationError as `load` does. Keeps nothing of it."""
    return _told(_read, model, given, path)


def _told(reader: Callable[[type[BaseModel], str], BaseModel], model: type[M], given: str, path: Path) -> M:
    try:
        with _named(path):
            return cast("M", reader(model, given))
    except ValidationError as error:
        found = key_paths.mistakes(model, tomllib.loads(given), error)
        more = error.error_count() - len(found)
    raise refused(given, path, found, more)


def refused(
    given: str, path: Path, found: Sequence[tuple[Sequence[str | int], str]], more: int = 0
) -> ConfigurationError:
    """The error of a file with these mistakes: the place and what is wrong there, each with its line."""
    lines = Lines(given)
    told = [_mistake(lines, place, said) for place, said in found] + ([f"and {more} more"] if more else [])
    faults = tuple(Fault(".".join(map(str, place)), said) for place, said in found)
    return ConfigurationError(f"{path}: {'; '.join(told)}", faults=faults)


def _mistake(lines: Lines, place: Sequence[str | int], said: str) -> str:
    where = ".".join(map(str, place))
    return f"{where}{': ' if where else ''}{said}{_line(lines, said, place)}"


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """What is no TOML, or asks for too much, is an error of this file."""
    try:
        yield
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}") from None
    except bounds.TooMuch as error:
        raise ConfigurationError(f"{path}: {error}", faults=(Fault("", str(error)),)) from None


def _table(given: str) -> dict[str, Any]:
    bounds.check(given)
    return tomllib.loads(given)


def _read(model: type[BaseModel], given: str) -> BaseModel:
    return validated(model, _table(given))


def validated(model: type[M], table: Mapping[str, Any]) -> M:
    """A table as a model. A value of another kind is refused, as by the JSON Schema: `"15"` is no number.

    Raises ValidationError.
    """
    # Strict in the form of JSON: there an array is a tuple or a set, and text a date or a member of an enum.
    return model.model_validate_json(json.dumps(table, default=_moment), strict=True)


def _moment(value: date | time) -> str:
    return value.isoformat()


@lru_cache(maxsize=256)
def _kept(model: type[BaseModel], given: str) -> BaseModel:
    """For the files of a process alone. What is read is never changed: houses of one process, in tests, share it."""
    return _read(model, given)


_TOLD = re.compile(r"([\w.-]+): ")
"""The rest of the key path, at the beginning of what a rule over several keys says."""


def line_told(given: str, said: str, place: Sequence[str | int] = ()) -> str:
    """` (line 12)`: where in a text the key stands that `said` begins with, below `place`; nothing if nowhere."""
    return _line(Lines(given), said, place)


def _line(lines: Lines, said: str, place: Sequence[str | int]) -> str:
    told = _TOLD.match(said)
    line = lines.of([*place, *(told[1].split(".") if told else ())])
    return f" (line {line})" if line else ""
