"""A folder with the rules for providers that are under test: no limits of speed, for upstreams that are ours."""

from __future__ import annotations

import re
from pathlib import Path

from revenueflow import defaults

PAUSE = "pause_seconds = 30"


def short_policy() -> str:
    """Our policy.toml with a breaker that lets a CRM be tried again soon."""
    text = defaults.text("policy.toml")
    assert PAUSE in text
    return text.replace(PAUSE, "pause_seconds = 0.4")


AGENT = re.compile(r"^agent = \[.*?\]$", re.MULTILINE | re.DOTALL)


def agent_tools(text: str, *tools: str) -> str:
    """A policy.toml whose role `agent` has these tools."""
    listed = ", ".join(f'"{tool}"' for tool in tools)
    changed, count = AGENT.subn(f"agent = [{listed}]", text)
    assert count == 1
    return changed


def _roomy(text: str) -> str:
    """Tests run one lead more often in a minute than any customer does."""
    assert "per_lead = 10\n" in text
    return text.replace("per_lead = 10\n", "per_lead = 1000\n")


def unhurried(folder: Path, *changes: tuple[str, str]) -> Path:
    """`folder` with our enrichment.toml without rate limits and some of its text replaced, and a short breaker."""
    text = re.sub(r"^per_(second|minute) = .*\n", "", defaults.text("enrichment.toml"), flags=re.MULTILINE)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    folder.mkdir(exist_ok=True)
    (folder / "enrichment.toml").write_text(text, encoding="utf-8")
    (folder / "policy.toml").write_text(_roomy(short_policy()), encoding="utf-8")
    return folder


def by_rules_alone(folder: Path) -> None:
    """Leads of one company are routed each for itself: the first must not decide for the others."""
    text = defaults.text("routing.toml")
    (folder / "routing.toml").write_text(f"existing_owner = false\n{text}", encoding="utf-8")
