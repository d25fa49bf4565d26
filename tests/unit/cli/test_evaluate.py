"""`revenueflow eval`: the figures, and what a bad file is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from revenueflow.cli.labelled import auroc, binary, classes
from revenueflow.cli.main import app

DATA = Path(__file__).parents[2] / "data"


def run(*arguments: str, stdin: str | None = None) -> Any:
    return CliRunner().invoke(app, ["eval", *arguments], input=stdin)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def pair(name1: object, name2: object, is_match: object) -> str:
    return json.dumps({"name1": name1, "name2": name2, "is_match": is_match, "notes": "x"}) + "\n"


def test_matching_prints_its_figures(tmp_path: Path) -> None:
    file, answers = tmp_path / "pairs.jsonl", tmp_path / "answers.jsonl"
    rows = [("Acme AG", "Acme", "true"), ("Acme", "Zenith", False), ("Acme", "Zenith", "True"), ("A 1", "A 2", "false")]
    file.write_text("\ufeff" + "\n".join(pair(*row) for row in rows), encoding="utf-8")
    result = run("matching", str(file), "--predictions", str(answers))
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found.pop("seconds") >= 0
    assert found == {
        "n": 4, "precision": 1.0, "recall": 0.5, "f1": 0.6667, "accuracy": 0.75, "auroc": 0.625, "threshold": 0.7,
    }  # fmt: skip
    assert [row["found"] for row in lines(answers)] == [True, False, False, False]
    assert {"name1", "name2", "is_match", "score", "found"} == set(lines(answers)[0])


def test_the_own_pairs_reach_what_the_guide_states() -> None:
    found = json.loads(run("matching", str(DATA / "company_pairs.jsonl")).stdout)
    assert found["n"] >= 150
    assert found["f1"] >= 0.95
    assert found["auroc"] >= 0.97


def test_titles_prints_its_figures_and_writes_what_was_wrong(tmp_path: Path) -> None:
    misses = tmp_path / "misses.jsonl"
    rows = [("CTO", "c_level", "engineering"), ("CEO", "vp", None)]
    text = "".join(json.dumps({"title": t, "seniority": s, "department": d}) + "\n" for t, s, d in rows)
    result = run("titles", "-", "--misses", str(misses), stdin=text)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["n"], found["misses"], found["seniority"]["accuracy"]) == (2, 1, 0.5)
    assert found["seniority"]["classes"]["c_level"] == {"n": 1, "precision": 0.5, "recall": 1.0}
    assert found["department"]["classes"]["none"] == {"n": 1, "precision": None, "recall": 0.0}
    assert [row["title"] for row in lines(misses)] == ["CEO"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (pair("zyx-secret", "b", "perhaps"), "is_match"),
        (pair("zyx-secret", 3, True), "name2"),
        ('{"name1": "zyx-secret", "name2": "b"}\n', "is_match"),
        ('["zyx-secret"]\n', "Pair"),
        ("zyx-secret\n", "not JSON"),
        ("\udcff\n", "not JSON"),
    ],
)
def test_a_bad_line_is_named_without_its_value(line: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text(pair("a", "b", True) + line, encoding="utf-8", errors="surrogateescape")
    result = run("matching", str(file))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert f"{file.name}:2:" in result.stderr.replace("\n", "")
    assert said in result.stderr
    assert "zyx-secret" not in result.output


@pytest.mark.parametrize("seniority", ["boss", 3])
def test_a_label_that_is_none_of_ours_is_told_those(seniority: object) -> None:
    result = run("titles", "-", stdin=json.dumps({"title": "x", "seniority": seniority, "department": None}))
    assert result.exit_code == 1
    assert "individual" in result.stderr


def test_a_file_that_is_missing_or_empty(tmp_path: Path) -> None:
    assert run("matching", str(tmp_path / "none.jsonl")).exit_code == 1
    assert run("matching", "-", stdin="\n").exit_code == 1
    assert run("matching", "-", "--predictions", str(tmp_path), stdin=pair("a", "a", True)).exit_code == 2


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.25, 0.5, 1.0])), max_size=30))
def test_auroc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[bool, float]]) -> None:
    wins = [
        1.0 if good > bad else 0.5 if good == bad else 0.0
        for label, good in rows
        if label
        for other, bad in rows
        if not other
    ]
    found = auroc([label for label, _ in rows], [score for _, score in rows])
    assert found == (pytest.approx(sum(wins) / len(wins), abs=1e-4) if wins else None)


def test_figures_of_nothing_are_none() -> None:
    assert binary([], []) == {"precision": None, "recall": None, "f1": None, "accuracy": None}
    assert classes([], []) == {"accuracy": None, "classes": {}}
