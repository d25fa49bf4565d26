"""The files that people edit: policy, prompts, profiles, tables. `REVENUEFLOW_CONFIG_DIR` overrides them one by one."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from revenueflow.defaults.places import line_of
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
    """A TOML file as a model. Raises ConfigurationError: file, each key path with its line, and what is allowed."""
    table = toml(name, config_dir)
    try:
        return model.model_validate(table)
    except ValidationError as error:
        faults = tuple(
            Fault(".".join(map(str, item["loc"])), item["msg"]) for item in error.errors(include_input=False)
        )
        lines = [line_of(text(name, config_dir), item["loc"]) for item in error.errors(include_input=False)]
        where = "; ".join(map(_said, faults, lines))
        raise ConfigurationError(f"{locate(name, config_dir)}: {where}", faults=faults) from None


def _said(fault: Fault, line: int | None) -> str:
    said = ": ".join(filter(None, (fault.pointer, fault.detail)))
    return f"{said} (line {line})" if line else said
