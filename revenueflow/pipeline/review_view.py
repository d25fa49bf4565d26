"""An item of the review queue as people see it: claim, evidence and reason side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from revenueflow.clock import rfc3339, utcnow
from revenueflow.db import reviews
from revenueflow.db.session import Session
from revenueflow.grounding.reasons import reason

Row = Mapping[str, Any]
ITEM: Final = (
    "id", "lead_id", "job_id", "run_version", "kind", "state", "questioned", "decision", "reason", "decided_by",
)  # fmt: skip
_OF_CLAIM: Final = ("ref", "field", "value", "statement", "verdict", "score", "decided_by", "expected", "found")
_OF_PIECE: Final = ("provider", "signal", "path", "value", "trust")


def item(row: Row) -> dict[str, Any]:
    """What a list shows of an item; `age_seconds` is how long it has waited, or did."""
    until = row["closed_at"] or utcnow()
    told = {name: row[name] for name in (*ITEM, "company", "campaign_id", "tier") if name in row}
    times = {name: rfc3339(row[name]) if row[name] else None for name in ("created_at", "closed_at")}
    decided = {one["ref"]: one["decision"] for one in row["decisions"]}
    return told | times | {"decisions": decided, "age_seconds": round((until - row["created_at"]).total_seconds())}


async def whole(session: Session, row: Row) -> dict[str, Any]:
    """The item with all claims of its run, those in question first; each with the evidence that it cites, what speaks
    against it, and why it was judged so.
    """
    pieces = {f"E{one['ordinal']}": one for one in await reviews.evidence_of(session, row["job_id"])}
    claims = [_claim(one, pieces, row) for one in await reviews.claims_of(session, row["job_id"])]
    return item(row) | {"claims": sorted(claims, key=lambda claim: not claim["in_question"])}


def _claim(row: Row, pieces: Mapping[str, Row], review: Row) -> dict[str, Any]:
    spans = {span["evidence_id"]: [span["start"], span["end"]] for span in row["spans"]}
    cited = [
        _piece(cited["evidence_id"], pieces) | {"quote": cited.get("quote"), "span": spans.get(cited["evidence_id"])}
        for cited in row["citations"]
    ]
    return {name: row[name] for name in _OF_CLAIM} | {
        "in_question": row["ref"] in review["questioned"],
        "why": reason(row["verdict"], row["decided_by"]),
        "evidence": cited,
        "against": [_piece(name, pieces) for name in row["opposing"]],
        "decided": next((one for one in review["decisions"] if one["ref"] == row["ref"]), None),
    }


def _piece(name: str, pieces: Mapping[str, Row]) -> dict[str, Any]:
    """`{"id", "exists"}` and, if there is such a piece, what it says, who said it and how old that is."""
    found = pieces.get(name)
    if found is None:
        return {"id": name[:200], "exists": False}
    told = {column: found[column] for column in _OF_PIECE}
    age = round((utcnow() - found["fetched_at"]).total_seconds())
    return {"id": name, "exists": True, "fetched_at": rfc3339(found["fetched_at"]), "age_seconds": age} | told


def lines(claims: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """Claims for a terminal: under each its verdict and why, what it cites, and what speaks against it."""
    for one in claims:
        yield one["ref"] + (" ?" if one["in_question"] else ""), one["statement"]
        yield "  verdict", f"{one['verdict']} ({one['decided_by']}): {one['why']}"
        yield from (("  evidence", _told(piece)) for piece in one["evidence"])
        yield from (("  against", _told(piece)) for piece in one["against"])


def _told(piece: Row) -> str:
    if not piece["exists"]:
        return f"{piece['id']} does not exist"
    quote = f', quoted "{piece["quote"]}"' if piece.get("quote") else ""
    return f"{piece['id']} {piece['provider']} {piece['signal']}: {str(piece['value'])[:200]}{quote}"
