"""The table of our targets with what is measured: `python -m tests.evaluation.table [FOLDER]`.

FOLDER holds labelled data in a form that `tests.evaluation.convert` knows. What is missing is said and fails nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from revenueflow.grounding.validator import judge
from tests.evaluation.convert import INFOBOX, OWN, RECORD, SENTENCES, SUMMARY, Converted, forms, own
from tests.unit.grounding.lead import LEAD, piece, rules, vocabulary
from tests.unit.grounding.test_validator import twelve_claims

ADVERSARIAL: Final = Path(__file__).parents[1] / "data" / "adversarial.jsonl"
SPECIFICITY: Final = 0.80
NAMES: Final = {
    RECORD: "record to text, whole texts",
    SENTENCES: "record to text, sentences",
    INFOBOX: "infobox",
    SUMMARY: "text and summary",
    OWN: "other labelled claims",
}


class Row(NamedTuple):
    """A line of the table. `target` has the form "≥ 0.80"; empty for a figure without one."""

    data: str
    figure: str
    target: str
    measured: float | None

    @property
    def met(self) -> str:
        """Yes, no, or nothing without a target."""
        if not self.target or self.measured is None:
            return ""
        sign, limit = self.target.split()
        holds = self.measured >= float(limit) if sign == "≥" else self.measured <= float(limit)
        return "yes" if holds else "NO"


class Measured(NamedTuple):
    """What `revenueflow eval grounding` printed, and its verdicts in the order of the claims."""

    figures: dict[str, Any]
    verdicts: list[dict[str, Any]]


def main(arguments: list[str], adversarial: Path = ADVERSARIAL) -> int:
    """Prints the table. Returns 2 for a folder that is none, else 0: a missed target is shown, and fails nothing."""
    folder = Path(arguments[0]) if arguments and arguments[0] else None
    if folder is not None and not folder.is_dir():
        print(f"{folder}: no folder", file=sys.stderr)
        return 2
    found = list(forms(folder)) if folder else []
    missing = [NAMES[form] for form in (RECORD, INFOBOX, SUMMARY) if form not in {one.form for one in found}]
    rows = [*_adversarial(adversarial), *(row for one in found for row in _rows(one)), *_cost()]
    _show(rows)
    if missing:
        where = f"in {folder}" if folder else "without a folder of data (make eval DATA=folder)"
        print(f"Not measured {where}: {', '.join(missing)}.")
    print("The sandbox's invented claims: make demo ARGS=--once prints them.")
    return 0


def _adversarial(file: Path) -> Iterator[Row]:
    if not file.is_file():
        print(f"Not measured: {file.name} is not there.")
        return
    made = own(file)
    measured = _evaluated(made.cases)
    labels = _labels(made.cases)
    pairs = [(label, one["verdict"]) for label, one in zip(labels, measured.verdicts, strict=True) if label]
    false = [verdict != "supported" for label, verdict in pairs if label != "supported"]
    true = [verdict != "supported" for label, verdict in pairs if label == "supported"]
    yield Row("own adversarial set", f"{len(false)} fabricated claims not supported", "≥ 0.99", _share(false))
    yield Row("own adversarial set", f"{len(true)} true claims rejected", "≤ 0.01", _share(true))


def _rows(made: Converted) -> Iterator[Row]:
    measured = _evaluated(made.cases)
    name, figures = NAMES[made.form], measured.figures
    if made.form == INFOBOX:
        contradicted = figures["per_verdict"]["contradicted"]
        answers = [one["verdict"] == "contradicted" for one in measured.verdicts]
        yield Row(name, "precision of contradicted", "≥ 0.90", contradicted["precision"])
        yield Row(name, "its coverage: contradicted claims that are found", "≥ 0.20", contradicted["recall"])
        yield Row(name, "share of all claims that are called contradicted", "", _share(answers))
        return
    goal = made.form == RECORD
    yield Row(
        name, f"balanced accuracy ({figures['n']} claims)", "≥ 0.80" if goal else "", figures["balanced_accuracy"]
    )
    yield Row(name, "AUROC", "≥ 0.84" if goal else "", figures["auroc"])
    if made.kinds:
        recall = _recall(made, measured)
        yield Row(name, "recall of evident conflicts at specificity 0.80", "≥ 0.90" if goal else "", recall)


def _recall(made: Converted, measured: Measured) -> float | None:
    """Share of the claims in evident conflict below the score that leaves 80 % of the true ones above it."""
    kinds = [made.kinds[one["claim_id"]] for one in measured.verdicts]
    scores = [one["score"] for one in measured.verdicts]
    true = sorted(score for kind, score in zip(kinds, scores, strict=True) if kind == "none")
    conflicts = [score for kind, score in zip(kinds, scores, strict=True) if kind == "evident conflict"]
    if not true or not conflicts:
        return None
    limit = true[int(len(true) * (1 - SPECIFICITY) + 1e-9)]
    return _share([score < limit for score in conflicts])


def _cost() -> Iterator[Row]:
    evidence = LEAD | {f"E{place}": piece("hunter", "city", f"Town {place}") for place in range(17, 61)}
    claims, table, limits = twelve_claims(), vocabulary(), rules()
    taken = []
    for _ in range(50):
        before = time.process_time()
        judge(claims, evidence, table, limits)
        taken.append(time.process_time() - before)
    yield Row("validator", "ms of CPU for 12 claims over 60 pieces", "≤ 2", round(min(taken) * 1000, 2))


def _evaluated(cases: list[dict[str, Any]]) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        file, answers = Path(folder) / "claims.jsonl", Path(folder) / "verdicts.jsonl"
        file.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")
        command = [sys.executable, "-m", "revenueflow", "eval", "grounding", str(file), "--predictions", str(answers)]
        printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        verdicts = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
    return Measured(json.loads(printed), verdicts)


def _labels(cases: list[dict[str, Any]]) -> list[str | None]:
    return [(case.get("labels") or {}).get(claim["id"]) for case in cases for claim in case["claims"]]


def _share(answers: list[bool]) -> float | None:
    return round(sum(answers) / len(answers), 4) if answers else None


def _show(rows: list[Row]) -> None:
    lines = [("data", "figure", "target", "measured", "met")]
    lines += [
        (row.data, row.figure, row.target, "-" if row.measured is None else f"{row.measured:g}", row.met)
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
