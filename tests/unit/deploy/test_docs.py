"""The guides: links lead somewhere, and the settings, commands and states they name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from revenueflow.domain.action import ActionState
from revenueflow.domain.lead import LeadStatus
from revenueflow.pipeline.steps import STEPS
from tests.unit.deploy import ROOT, variables

PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"])
# Read by other parts than the settings.
ELSEWHERE = {
    "REVENUEFLOW_TEST_SERVERS",
    "REVENUEFLOW_POSTGRES_BIN",
    "REVENUEFLOW_OWNER_PASSWORD",
    "REVENUEFLOW_APP_PASSWORD",
    "REVENUEFLOW_SEALER_PASSWORD",
    "REVENUEFLOW_AUDITOR_PASSWORD",
    "REVENUEFLOW_API_KEY",
}


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert "://" in target or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_settings_that_are_named_exist(page: Path) -> None:
    named = set(re.findall(r"\bREVENUEFLOW_[A-Z_]+\b", page.read_text(encoding="utf-8")))
    assert named <= variables().keys() | ELSEWHERE


@pytest.mark.parametrize("page", sorted((ROOT / "docs/decisions").glob("*.md")), ids=name)
def test_a_decision_is_one_page_in_three_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.name[:4]}: ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert len(text.splitlines()) < 60


def test_the_journey_names_every_state_and_step() -> None:
    text = (ROOT / "docs/journey.md").read_text(encoding="utf-8")
    missing = [word for word in (*LeadStatus, *ActionState, *(s.name for s in STEPS)) if f"`{word}`" not in text]
    assert missing == []


def test_the_journey_names_every_state_of_the_schema() -> None:
    text = (ROOT / "docs/journey.md").read_text(encoding="utf-8")
    schema = (ROOT / "migrations/sql/0001_initial.sql").read_text(encoding="utf-8")
    lists = re.findall(
        r"ck_(?:jobs_state|actions_state|leads_status|deliveries_outcome)\s+CHECK \(\w+ IN \(([^)]*)\)",
        schema,
    )
    states = {state for found in lists for state in re.findall(r"'(\w+)'", found)}
    assert len(lists) == 4
    assert {state for state in states if f"`{state}`" not in text} == set()
