"""`make eval`: public forms of labelled data become cases, and the table says what is met and what is not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation import table
from tests.evaluation.convert import Converted, forms
from tests.evaluation.table import Row

TEXT = "It offers WiFi. It has no terrace. It was founded by two sailors from Genoa."
RECORDS = {
    "source": {"name": "Porto", "WiFi": "free", "terrace": True},
    "responses": [
        {"response": "Porto offers free WiFi.", "labels": []},
        {
            "response": TEXT,
            "labels": [
                {"start": 16, "end": 33, "label_type": "Evident Conflict"},
                {"start": 35, "end": 75, "label_type": "Subtle Baseless Info"},
            ],
        },
    ],
}
INFOBOX = {"table": {"title": ["Porto"], "Founded": ["1999"]}, "claim": "Porto was founded in 1999.", "label": "E"}
SUMMARY = {"text": "Profit rose by 4 %.", "claim": "Profit fell.", "supported": False}
OWN = {"evidence": [{"id": "E1", "data": {"WiFi": "no"}}], "claims": [{"id": "C1", "statement": "It offers WiFi."}],
       "labels": {"C1": "contradicted"}}  # fmt: skip


def written(folder: Path, **files: dict[str, Any]) -> Path:
    for name, row in files.items():
        (folder / f"{name}.jsonl").write_text(json.dumps(row) + "\n\n", encoding="utf-8")
    return folder


def found(folder: Path) -> dict[str, Converted]:
    return {one.form: one for one in forms(folder)}


def test_each_form_is_known_by_its_keys(tmp_path: Path) -> None:
    made = found(written(tmp_path, a=RECORDS, b=INFOBOX, c=SUMMARY, d=OWN, e={"other": 1}))
    assert set(made) == {"record", "sentences", "infobox", "summary", "own"}
    assert made["record"].cases[0]["labels"] == {"0-0": "supported", "0-1": "contradicted"}
    assert made["infobox"].cases[0]["labels"] == {"b-0": "supported"}
    assert made["summary"].cases[0]["labels"] == {"c-0": "unsupported"}
    assert made["own"].cases == [OWN]


def test_a_sentence_has_the_labels_of_the_spans_in_it(tmp_path: Path) -> None:
    made = found(written(tmp_path, a=RECORDS))["sentences"]
    said = {claim["statement"]: made.kinds[claim["id"]] for claim in made.cases[0]["claims"]}
    assert said == {
        "Porto offers free WiFi.": "none",
        "It offers WiFi.": "none",
        "It has no terrace.": "evident conflict",
        "It was founded by two sailors from Genoa.": "baseless",
    }


def test_the_table_measures_what_is_there_and_names_what_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some, data = tmp_path / "adversarial.jsonl", tmp_path / "data"
    some.write_text(table.ADVERSARIAL.read_text(encoding="utf-8").splitlines(keepends=True)[0], encoding="utf-8")
    data.mkdir()
    assert table.main([str(written(data, a=RECORDS, d=OWN))], some) == 0
    printed = capsys.readouterr().out
    assert any(line.startswith("record to text, whole texts") and "yes" in line for line in printed.splitlines())
    assert "recall of evident conflicts at specificity 0.80" in printed
    assert "other labelled claims" in printed
    assert "validator" in printed
    assert f"Not measured in {data}: infobox, text and summary." in printed


def test_a_folder_that_is_none_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert table.main([str(tmp_path / "none")]) == 2
    assert "no folder" in capsys.readouterr().err


def test_a_target_is_met_or_missed_or_not_set() -> None:
    assert [Row("d", "f", target, 0.8).met for target in ("≥ 0.80", "≥ 0.81", "≤ 0.80", "≤ 0.79", "")] == [
        "yes", "NO", "yes", "NO", "",
    ]  # fmt: skip
