"""A lead's story as text: evidence, claims and verdicts, points, rule, writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from revenueflow.cli.run import out
from revenueflow.pipeline.results import waterfall

Item = Mapping[str, Any]
_COLOURS = {"supported": "green", "contradicted": "red", "unsupported": "red", "ambiguous": "yellow"}

_ANSWER = ("analyst", "model", "prompt", "tokens", "US$", "did not answer")


def print_lead(lead: Item | None, items: Sequence[Item], scores: Sequence[Item] = ()) -> None:
    """Prints a lead, its timeline and the history of its scores, newest first."""
    if lead:
        _facts(lead)
    of_type = {kind: [item for item in items if item["type"] == kind] for kind in ("evidence", "claim", "score")}
    _table(
        "Evidence",
        ("", "asked", "signal", "value", "at", "trust", "age", "US$"),
        _evidence(of_type["evidence"]),
    )
    _table(
        "Chosen",
        ("fact", "value", "because", "evidence"),
        [_chosen(*one) for one in (lead or {"facts": {}})["facts"].items()],
    )
    _missed([item["data"] for item in items if item["type"] == "step" and item["data"]["name"] == "enrich"])
    _analysis([item["data"] for item in items if item["type"] == "step" and item["data"]["name"] == "analyse"])
    _opinions([item["data"] for item in items if item["type"] == "step" and item["data"]["name"] == "ground"])
    _table(
        "Claims",
        ("", "verdict", "decided by", "statement", "cites", "against", "said / found"),
        [_claim(i) for i in of_type["claim"]],
    )
    _points(lead["score_factors"] if lead else [], lead["not_understood"] if lead else [])
    _table("Scores", ("at", "score", "tier", "intent", "profile", "version", "by"), [_past(one) for one in scores])
    for routing in [item["data"]["routing"] for item in items if item["type"] == "routing"][-1:]:
        _table("Route", ("", "tried"), [[str(n), line] for n, line in enumerate(routing["path"], 1)])
        _table("Reps", ("rep", "gets it", "because"), [_candidate(one) for one in routing["candidates"]])
    _table("Writes", ("tool", "state", "CRM id", "tries"), [_action(i) for i in items if i["type"] == "action"])
    _table(
        "First touch",
        ("timer", "owner", "from", "until", "reminded", "state", "because"),
        [_timer(i) for i in items if i["type"] == "timer"],
    )
    _table("Outcomes", ("at", "outcome", "worth", "by"), [_outcome(i) for i in items if i["type"] == "outcome"])
    _table("Trail", ("at", "actor", "action", "outcome"), [_event(i) for i in items if i["type"] == "audit"])


def _facts(lead: Item) -> None:
    names = ("id", "status", "stopped_because", "company", "domain", "country", "score", "tier", "intent",
             "owner_name", "routing_rule", "routing_reason", "stage", "first_touch_at", "crm_id", "completeness",
             "cost", "summary", "review_id")  # fmt: skip
    table = Table(box=None, show_header=False, pad_edge=False)
    for name in names:
        table.add_row(Text(name, style="bold"), Text("" if lead[name] is None else str(lead[name])))
    out.print(table)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Text | str]]) -> None:
    if not rows:
        return
    out.print(f"\n[bold]{title}[/bold]")
    table = Table(*columns, box=None, header_style="dim", pad_edge=False)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    out.print(table)


def _evidence(items: Sequence[Item]) -> list[list[Text | str]]:
    """In the order of their numbers; what an answer cost stands at its first fact."""
    rows: list[list[Text | str]] = []
    priced: set[str] = set()
    for data in sorted((item["data"] for item in items), key=lambda data: (str(data["job_id"]), int(data["ref"][1:]))):
        asked = ".".join(filter(None, (data["provider"], data["lookup"])))
        cost = f"{data['cost_usd']:.2f}" if data["cost_usd"] and asked not in priced else ""
        priced.add(asked)
        told = str(data["value"])[:60]
        rows.append(
            [data["ref"], asked, data["signal"], told, data["path"], data["trust"], _age(data["age_seconds"]), cost]
        )
    return rows


def _chosen(name: str, choice: Item) -> list[Text | str]:
    return [name, _short(choice["value"]), choice["why"], ", ".join(choice["evidence"])]


def _missed(steps: Sequence[Item]) -> None:
    """What providers might have given and did not, with the reason, one line for each signal."""
    reasons: dict[str, list[str]] = {}
    for one in steps[-1]["missed"] if steps else ():
        reasons.setdefault(one["signal"], []).append(f"{one['provider']} {one['reason']}")
    _table("Missed", ("signal", "asked"), [[signal, ", ".join(told)] for signal, told in sorted(reasons.items())])


def _analysis(steps: Sequence[Item]) -> None:
    """Who analysed, with which prompt, at what cost; and who did not, and why."""
    _table("Analyses", _ANSWER, [_answer(one) for one in steps])


def _opinions(steps: Sequence[Item]) -> None:
    """Who gave a second opinion, about which claims, and which of them it decided."""
    found = [one["second_opinion"] for one in steps if one.get("second_opinion")]
    rows = [[*_answer(one), " ".join(one["asked"]), " ".join(one["decided"])] for one in found]
    _table("Second opinions", (*_ANSWER, "about", "decided"), rows)


def _answer(one: Item) -> list[Text | str]:
    tokens = f"{one['input_tokens']} + {one['output_tokens']}"
    cost = "kept answer" if one.get("cached") else f"{one.get('cost_usd', 0):.6f}"
    failed = ", ".join(f"{failure['analyst']} {failure['reason']}" for failure in one["failures"])
    prompt = f"{one['prompt_version']} {(one['prompt_sha256'] or '')[:12]}"
    return [one["analyst"] or "-", one["model"] or "-", prompt, tokens, cost, failed]


def _age(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f}{unit}"
    return f"{max(seconds, 0):.0f}s"


def _claim(item: Item) -> list[Text | str]:
    data = item["data"]
    verdict = Text(data["verdict"], style=_COLOURS.get(data["verdict"], ""))
    compared = f"{_short(data['expected'])} / {_short(data['found'])}"
    cited = ", ".join(_citation(one, data["spans"]) for one in data["citations"])
    return [
        data["ref"],
        verdict,
        data["decided_by"],
        data["statement"][:80],
        cited,
        ", ".join(data["opposing"]),
        compared,
    ]


def _citation(citation: Item, spans: Sequence[Item]) -> str:
    """The evidence, and where its quote stands there: E4[0:58]."""
    span = next((one for one in spans if one["evidence_id"] == citation["evidence_id"]), None)
    place = f"[{span['start']}:{span['end']}]" if span else ' "…"?' if citation.get("quote") else ""
    return f"{citation['evidence_id']}{place}"


def _short(value: Any) -> str:
    return "-" if value is None else str(value)[:40]


def _points(factors: Sequence[Item], not_understood: Sequence[str]) -> None:
    """The waterfall: what each line adds, and what stands after it."""
    rows = [_factor(factor) for factor in waterfall(factors)]
    _table("Points", ("factor", "points", "of", "total", "from", "evidence", "because"), rows)
    missing = dict.fromkeys(name for factor in factors for name in factor.get("missing", ()))
    for title, names in (("missing", missing), ("not understood", not_understood)):
        if names:
            out.print(Text(f"{title}: {', '.join(names)}", style="yellow"))


def _factor(factor: Item) -> list[Text | str]:
    value = factor["input"]
    shown = ", ".join(map(str, value)) if isinstance(value, list) else _short(value)
    points = Text(f"{factor['points']:+}", style="green" if factor["points"] > 0 else "dim")
    of, total = str(factor["maximum"] or ""), str(factor["after"])
    return [factor["name"], points, of, total, shown, ", ".join(factor["evidence"][:6]), factor["reason"]]


def _past(score: Item) -> list[Text | str]:
    by = "scored again" if score["scoring_id"] else "run"
    told = (score["score"], score["tier"], score["intent"], score["profile"], score["run_version"], by)
    return [score["scored_at"].strftime("%Y-%m-%d %H:%M:%S"), *map(str, told)]


def _candidate(one: Item) -> list[Text | str]:
    return [one["rep_id"], "yes" if one["chosen"] else "no", one["reason"]]


def _action(item: Item) -> list[Text | str]:
    data = item["data"]
    return [data["tool"], data["state"], data["crm_id"] or "", str(data["tries"])]


def _timer(item: Item) -> list[Text | str]:
    data = item["data"]
    times = [item["at"].strftime("%Y-%m-%d %H:%M"), data["due_at"][:16].replace("T", " ")]
    reminded = data["reminder"] or "-"
    return [str(data["number"]), data["owner_name"], *times, reminded, data["state"], data["reason"]]


def _outcome(item: Item) -> list[Text | str]:
    data = item["data"]
    worth = "" if data["value_minor"] is None else f"{data['value_minor']} {data['currency']} (minor units)"
    return [item["at"].strftime("%Y-%m-%d %H:%M"), data["outcome"], worth, data["recorded_by"]]


def _event(item: Item) -> list[Text | str]:
    data = item["data"]
    return [item["at"].strftime("%H:%M:%S.%f")[:-3], data["actor"], data["action"], data["outcome"]]
