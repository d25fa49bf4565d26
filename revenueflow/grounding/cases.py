"""Decisions of people as regression cases: labelled claims over their evidence, for `revenueflow eval grounding`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import JsonValue

from revenueflow.domain.review import Decided, DecisionKind
from revenueflow.privacy.redaction import redact

Known = list[tuple[str, str]]
Rows = Iterable[Mapping[str, Any]]


def case(evidence: Rows, claims: Rows, decisions: Iterable[Decided], known: Known) -> dict[str, Any]:
    """`{"evidence", "claims", "labels"}` of one review, with placeholders where personal data stood.

    `evidence` and `claims` are rows as stored; `known` the lead's own data, as `known_values` gives it. A claim that
    was put right is there twice: as the model wrote it, and, with `-edited` behind its id, as the person did.
    """
    rows = {row["ref"]: row for row in claims}
    written: list[dict[str, Any]] = []
    labels: dict[str, str] = {}
    for one in decisions:
        row = rows.get(one.ref)
        if row is None:
            continue
        written.append(_claim(one.ref, row, row["value"], row["statement"]))
        labels[one.ref] = "supported" if one.decision is DecisionKind.ACCEPT else _against(row)
        if one.decision is DecisionKind.EDIT:
            edited = f"{one.ref}-edited"
            written.append(_claim(edited, row, one.value, one.statement))
            labels[edited] = "supported"
    pieces = [_piece(row) for row in evidence]
    return {"evidence": _clean(pieces, known), "claims": _clean(written, known), "labels": labels}


def _against(row: Mapping[str, Any]) -> str:
    return "contradicted" if row["verdict"] == "contradicted" else "unsupported"


def _claim(name: str, row: Mapping[str, Any], value: JsonValue, statement: str) -> dict[str, Any]:
    """An edited claim cites the same pieces, but no longer by what the model quoted."""
    kept = ("evidence_id", "json_path") if name.endswith("-edited") else ("evidence_id", "json_path", "quote")
    cited = [{key: one[key] for key in kept if one.get(key)} for one in row["citations"]]
    return {"id": name, "statement": statement, "field": row["field"], "value": value, "citations": cited}


def _piece(row: Mapping[str, Any]) -> dict[str, Any]:
    """One fact, with what it is about."""
    about = {name: row[name] for name in ("provider", "signal", "path", "trust")}
    return {"id": f"E{row['ordinal']}", **about, "data": row["value"]}


def _clean(value: Any, known: Known) -> Any:
    if isinstance(value, str):
        return redact(value, known)
    if isinstance(value, list):
        return [_clean(one, known) for one in value]
    if isinstance(value, dict):
        return {name: _clean(one, known) for name, one in value.items()}
    return value
