"""What every group of settings is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def env(name: str, default: Any = ..., *, about: str, **limits: Any) -> Any:
    """A setting: the name of its variable, its default, and what `doctor` says about it."""
    return Field(default, validation_alias=name, description=about, **limits)


def split(value: object) -> object:
    """The parts of a text between its commas."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _with_port(url: str) -> str:
    try:
        urlsplit(url).port  # noqa: B018 - reading it checks it
    except ValueError:
        raise PydanticCustomError("address", "the host or the port is malformed; a port is 0 to 65535") from None
    return url


def _a_folder(path: Path) -> Path:
    if not path.is_dir():
        raise PydanticCustomError("folder", "there is no such folder")
    return path


Folder = Annotated[Path, AfterValidator(_a_folder)]
PostgresUrl = Annotated[str, Field(pattern=r"^postgres(ql)?://[^\s]+$"), AfterValidator(_with_port)]
RedisUrl = Annotated[str, Field(pattern=r"^(redis|rediss|unix)://[^\s]+$"), AfterValidator(_with_port)]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s]+$"), AfterValidator(_with_port)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]
Names = Annotated[tuple[Annotated[str, Field(pattern=r"^[^\s,]+$")], ...], NoDecode, BeforeValidator(split)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(split), Field(max_length=2)]


class Group(BaseSettings):
    """A group of settings. An empty variable counts as not set."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", populate_by_name=True, frozen=True,
        allow_inf_nan=False,
    )  # fmt: skip
