"""Small files that hold secrets: complete or absent, and ours alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from revenueflow.devserver.server import write_secret


def write_private_json(path: Path, value: Any) -> None:
    """Writes JSON that only we can read; a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_secret(path, orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")
