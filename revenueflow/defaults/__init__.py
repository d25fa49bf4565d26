"""The files that people edit: policy, prompts, profiles, tables. `REVENUEFLOW_CONFIG_DIR` overrides them one by one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from revenueflow.defaults import key_paths
from revenueflow.defaults.toml_lines import line_of
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
    try:
        return tomllib.loads(text(name, config_dir))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{locate(name, config_dir)}: not valid TOML: {error}") from None


def load(model: type[M], name: str, config_dir: Path | None = None) -> M:
    """A TOML file as a model. Raises ConfigurationError that names file, each key path, line and what is allowed."""
    return parse(model, text(name, config_dir), locate(name, config_dir))


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
    """TOML as a model; `path` is what errors name. Raises ConfigurationError as `load` does."""
    try:
        return cast("M", _read(model, given))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}") from None
    except ValidationError as error:
        raise refused(given, path, key_paths.mistakes(model, tomllib.loads(given), error)) from None


def refused(given: str, path: Path, found: Sequence[tuple[Sequence[str | int], str]]) -> ConfigurationError:
    """The error of a file with these mistakes: the place and what is wrong there, each with its line."""
    faults = tuple(Fault(".".join(map(str, place)), said) for place, said in found)
    told = "; ".join(_told(given, place, said) for place, said in found)
    return ConfigurationError(f"{path}: {told}", faults=faults)


def _told(given: str, place: Sequence[str | int], said: str) -> str:
    where = ".".join(map(str, place))
    return f"{where}{': ' if where else ''}{said}{line_told(given, said, place)}"


@lru_cache(maxsize=256)
def _read(model: type[BaseModel], given: str) -> BaseModel:
    """What is read is never changed: many houses of one process, in tests, share it."""
    return model.model_validate(tomllib.loads(given))


_TOLD = re.compile(r"([\w.-]+): ")
"""The rest of the key path, at the beginning of what a rule over several keys says."""


def line_told(given: str, said: str, place: Sequence[str | int] = ()) -> str:
    """` (line 12)`: where in a text the key stands that `said` begins with, below `place`; nothing if nowhere."""
    told = _TOLD.match(said)
    path = [*place, *(told[1].split(".") if told else ())]
    line = line_of(given, path)
    return f" (line {line})" if line else ""
