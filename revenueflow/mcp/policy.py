"""defaults/policy.toml: what may be written, by whom."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from revenueflow import defaults
from revenueflow.domain.base import Value


class Transitions(Value):
    """Which value may follow which: `start` where there is none yet, then by the current one. No other is allowed."""

    start: list[str]
    next: dict[str, list[str]]

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if not {*self.start, *(value for values in self.next.values() for value in values)} <= self.next.keys():
            raise ValueError("every value that is named must have a line in next, which may be empty")
        return self


class Policy(Value):
    """The policy. `roles`: role -> tools. `grounded`: tool -> JSON Pointers that need a supported claim."""

    version: str
    kill_switch: bool = False
    read_only: bool = False
    dry_run: bool = False
    roles: dict[str, list[str]]
    grounded: dict[str, list[str]] = Field(default_factory=dict)
    lead_status: Transitions
    opportunity_stage: Transitions

    @property
    def writes_are_on(self) -> bool:
        """False while anything keeps every write from being made."""
        return not (self.kill_switch or self.read_only or self.dry_run)


def load(config_dir: Path | None = None) -> Policy:
    """Reads the policy. Raises ConfigurationError with file and key path."""
    return defaults.load(Policy, "policy.toml", config_dir)
