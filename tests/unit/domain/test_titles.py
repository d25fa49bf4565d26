"""Titles: gender forms, compounds, and the figures that the guide states."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revenueflow import defaults
from revenueflow.domain.titles import Affixes, plain
from revenueflow.domain.vocabulary import SENIORITIES, Vocabulary
from revenueflow.errors import ConfigurationError

TITLES = Path(__file__).parents[2] / "data" / "titles.jsonl"


@cache
def vocabulary() -> Vocabulary:
    return defaults.load(Vocabulary, "vocabulary.toml")


@pytest.mark.parametrize(
    "title",
    [
        "Leiter",
        "Leiter:in",
        "Leiter*in",
        "Leiter/in",
        "Leiter/-in",
        "Leiter_in",
        "LeiterIn",
        "Leiter(in)",
        "Leiter (m/w/d)",
    ],
)
def test_all_gender_forms_are_one(title: str) -> None:
    assert plain(title).strip() == "Leiter"


@pytest.mark.parametrize(
    "title",
    ["Head of Linked Data", "Assistant in Sales", "R&D Engineer", "VP, Sales", "Sales/R&D", "Sales / R&D", "HR/IT"],
)
def test_other_titles_stay_as_they_are(title: str) -> None:
    assert plain(title) == title


@pytest.mark.parametrize(
    ("title", "seniority", "department"),
    [
        ("Geschäftsführer:in", "c_level", "executive"),
        ("Leiterin Einkauf", "director", "procurement"),
        ("Head of RevOps", "director", "sales"),
        ("Executive Assistant to the CEO", "individual", "executive"),
        ("Personal Assistant to the Managing Director", "individual", "executive"),
        ("VP, Sales", "vp", "sales"),
        ("Vice President", "vp", None),
        ("Sr. Dir. Eng.", "director", "engineering"),
        ("CTO & Co-Founder", "c_level", "engineering"),
        ("Product Owner", "individual", "product"),
        ("Process Owner", "individual", None),
        ("Leadership Coach", "individual", None),
        ("Verkaufsleiter", "director", "sales"),
        ("Vorstandsassistentin", "individual", "executive"),
        ("Chief of Staff to the CEO", "director", "executive"),
        ("Key-Account-Managerin", "individual", "sales"),
        ("Directeur commercial", "director", "sales"),
        ("Gerente de Ventas", "manager", "sales"),
        ("Manager", "manager", None),
        ("Werkstudentin", "individual", None),
        ("Flugbegleiterin", "individual", None),
        ("Betriebsrat", None, None),
    ],
)
def test_titles(title: str, seniority: str | None, department: str | None) -> None:
    assert (vocabulary().seniority(title), vocabulary().department(title)) == (seniority, department)


@pytest.mark.parametrize("part", ["development", "held_back", "fresh", "last"])
def test_the_labelled_titles(part: str) -> None:
    rows = [json.loads(line) for line in TITLES.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["part"] == part]
    assert len(rows) >= 100
    for field, read in (("seniority", vocabulary().seniority), ("department", vocabulary().department)):
        right = sum(read(row["title"]) == row[field] for row in rows)
        assert right / len(rows) >= 0.95, field


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert vocabulary().seniority(text) in (*SENIORITIES, None)
    assert vocabulary().department(text) in (*vocabulary().departments, None)


def test_the_longest_part_of_a_compound_wins_and_an_ending_alone_does_not_count() -> None:
    ends = Affixes({"director": ["leiter"], "manager": ["teamleiter"]}, at_end=True)
    assert ends.find(("serviceteamleiter", "einkaufsleiter", "leiter", "")) == ("manager", "director")
    assert Affixes({"procurement": ["einkauf"]}, at_end=False).find(("einkauf", "kauf")) == ("procurement",)
    assert Affixes({}, at_end=False).find(("einkauf",)) == ()


def test_an_unknown_seniority_of_an_ending_is_an_error(tmp_path: Path) -> None:
    text = defaults.text("vocabulary.toml").replace(
        "[seniority_endings]\n", '[seniority_endings]\nboss = ["chef"]\n', 1
    )
    (tmp_path / "vocabulary.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="c_level"):
        defaults.load(Vocabulary, "vocabulary.toml", tmp_path)
