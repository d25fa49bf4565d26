"""Settings for many houses in one process."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache

from revenueflow.errors import ConfigurationError
from revenueflow.settings import GROUPS, Group, Settings

OF_PYTEST = "PYTEST_CURRENT_TEST"
"""Changes with every test, and sets nothing."""


def settings(**groups: Group) -> Settings:
    """As `Settings.load`; the groups that are not given are read once for each environment, which takes 20 ms."""
    variables = frozenset(item for item in os.environ.items() if item[0] != OF_PYTEST)
    return Settings.load(**(_read(variables, os.getcwd()) | groups))  # noqa: PTH109 a Path for each call costs as much


@cache
def _read(variables: frozenset[tuple[str, str]], folder: str) -> dict[str, Group]:
    """The groups that the environment, and `.env` in the folder, are right for."""
    found = {}
    for name, group in GROUPS.items():
        with suppress(ConfigurationError):
            found[name] = Settings.only(group)
    return found
