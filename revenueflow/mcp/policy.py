"""defaults/policy.toml: what may be written, by whom."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from revenueflow import defaults
from revenueflow.domain.base import Value


class Policy(Value):
    """The policy. `roles`: role -> tools. `grounded`: tool -> JSON Pointers that need a supported claim."""

    version: str
    kill_switch: bool = False
    read_only: bool = False
    dry_run: bool = False
    roles: dict[str, list[str]]
    grounded: dict[str, list[str]] = Field(default_factory=dict)

    @property
    def writes_are_on(self) -> bool:
        """False while anything keeps every write from being made."""
        return not (self.kill_switch or self.read_only or self.dry_run)


def load(config_dir: Path | None = None) -> Policy:
    """Reads the policy. Raises ConfigurationError with file and key path."""
    return defaults.load(Policy, "policy.toml", config_dir)
