"""A folder with the rules for providers that are under test: no limits of speed, for upstreams that are ours."""

from __future__ import annotations

import re
from pathlib import Path

from revenueflow import defaults


def unhurried(folder: Path, *changes: tuple[str, str]) -> Path:
    """`folder` with our enrichment.toml without rate limits, and with some of its text replaced."""
    text = re.sub(r"^per_(second|minute) = .*\n", "", defaults.text("enrichment.toml"), flags=re.MULTILINE)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    folder.mkdir(exist_ok=True)
    (folder / "enrichment.toml").write_text(text, encoding="utf-8")
    return folder
