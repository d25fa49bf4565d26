"""What is deployed, read as files: no container engine is needed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from revenueflow import settings

ROOT = Path(__file__).parents[3]


@cache
def load(name: str) -> Any:
    """A YAML (or JSON) file of the repository, named from its root, with its anchors and merges resolved."""
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def variables() -> dict[str, Any]:
    """The environment variable of each setting, with its default."""
    groups: set[type[settings.Group]] = {*settings.GROUPS.values(), settings.General}
    return {str(field.validation_alias): field.default for group in groups for field in group.model_fields.values()}
