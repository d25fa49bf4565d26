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


CASE = {
    "evidence": [
        {"id": "e1", "provider": "clearbit", "data": {"employees": 240, "hours": {"Monday": "9:0-17:0"}, "WiFi": "no"}},
        {"id": "e2", "provider": "hunter", "data": "Acme builds pumps for ships."},
    ],
    "claims": [
        {"id": "a", "statement": "It has 240 employees.", "field": "headcount", "value": 240,
         "citations": [{"evidence_id": "e1", "json_path": "$.employees"}]},
        {"id": "b", "statement": "It offers WiFi."},
        {"id": "c", "statement": "It is open on Mondays from 9 to 5.", "citations": [{"evidence_id": "e1"}]},
        {"id": "d", "statement": "It sells submarines to navies.", "citations": [{"evidence_id": "e2"}]},
        {"id": "e", "statement": "It has 90 employees.", "field": "employees", "value": 90, "citations": None},
        {"id": "f", "statement": "No label."},
    ],
    "labels": {"a": "supported", "b": "contradicted", "c": "supported", "d": "unsupported", "e": "supported"},
}  # fmt: skip


def test_grounding_prints_its_figures_and_writes_each_verdict(tmp_path: Path) -> None:
    file, answers = tmp_path / "claims.jsonl", tmp_path / "verdicts.jsonl"
    file.write_text(json.dumps(CASE) + "\n\n" + json.dumps(CASE | {"labels": None}) + "\n", encoding="utf-8")
    result = run("grounding", str(file), "--predictions", str(answers))
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found.pop("seconds") >= 0
    none = {"ambiguous": 0, "not_checkable": 0}
    assert found == {
        "n": 12,
        "confusion": {
            "supported": {"supported": 2, "contradicted": 1, "unsupported": 0} | none,
            "contradicted": {"supported": 0, "contradicted": 1, "unsupported": 0} | none,
            "unsupported": {"supported": 0, "contradicted": 0, "unsupported": 1} | none,
        },
        "balanced_accuracy": 0.8334,
        "per_verdict": {
            "supported": {"precision": 1.0, "recall": 0.6667},
            "contradicted": {"precision": 0.5, "recall": 1.0},
            "unsupported": {"precision": 1.0, "recall": 1.0},
        },
        "auroc": 0.75,
    }
    assert len(lines(answers)) == 12
    assert list(lines(answers)[0]) == ["claim_id", "verdict", "score", "decided_by", "expected", "found"]
    assert lines(answers)[1] | {"score": 0} == {
        "claim_id": "b", "verdict": "contradicted", "score": 0, "decided_by": "attribute",
        "expected": {"wifi": True}, "found": {"wifi": False},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ({"evidence": "SECRET"}, "evidence: Input should be a valid tuple"),
        ({"evidence": [{"id": "e1", "provider": "x"}]}, "evidence.0.data: must be given"),
        ({"claims": [{"id": "a"}]}, "claims.0.statement: must be given"),
        ({"labels": {"a": "SECRET"}}, "labels.a: Input should be 'supported', 'contradicted' or 'unsupported'"),
        ({"labels": {"SECRET": "supported"}}, "labels: one for no claim; allowed: the ids of the claims"),
        ({"claims": [CASE["claims"][0]] * 2}, "claims: two with the same id"),  # type: ignore[index]
        ({"evidence": [{"id": "e1", "data": 1, "trust": "SECRET"}]}, "evidence.0.trust: Input should be 'vendor'"),
        ({"claims": [{"id": "a", "statement": "x", "citations": [{}]}]}, "claims.0.citations.0.evidence_id: must"),
    ],
)
def test_a_bad_row_of_claims_is_named_by_file_line_and_key_and_never_shown(case: dict[str, Any], told: str) -> None:
    result = run("grounding", "-", stdin=json.dumps(CASE) + "\n" + json.dumps(CASE | case))
    assert result.exit_code == 1
    assert result.stderr.startswith("-:2: ")
    assert told in result.stderr.replace("\n", " ")
    assert "SECRET" not in result.stderr
