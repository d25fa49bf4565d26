"""`revenueflow scoring`: what a changed profile would do, before it is published."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from revenueflow import defaults
from revenueflow.cli.run import USAGE, fail, guarded, out, show, write_json
from revenueflow.cli.score import chosen
from revenueflow.clock import utcnow
from revenueflow.db.direct import Direct
from revenueflow.db.scores import Which
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.pipeline.backtest import Backtest, run
from revenueflow.pipeline.rescore import Shelf
from revenueflow.scoring.profile import Profile
from revenueflow.settings import DatabaseSettings, General, Settings
from revenueflow.wiring import files

app = typer.Typer(help="Scoring profiles: what there is, and what a change would do.", no_args_is_help=True)
_AGE = re.compile(r"(\d{1,4})([dhw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
WIDTH = 40


@app.command("list")
def list_profiles(as_json: Annotated[bool, typer.Option("--json", help="JSON.")] = False) -> None:
    """The profiles that there are. Example: revenueflow scoring list"""
    folder = guarded(lambda: Settings.only(General)).config_dir
    known = guarded(lambda: files.profiles(folder))
    rows = [
        {"name": name, "version": one.version, "hot": one.tiers.hot, "warm": one.tiers.warm,
         "factors": ", ".join(factor.name for factor in one.factors), "default": name == known.chosen.default}
        for name, one in known.known.items()
    ]  # fmt: skip
    show(rows, ["name", "version", "hot", "warm", "factors", "default"], as_json=as_json)


@app.command()
def backtest(
    profile: Annotated[str, typer.Option(metavar="NAME|FILE", help="The changed profile: a file, or a name.")],
    since: Annotated[str, typer.Option(help="Leads that came in since: 30d, 12h, 2w.")] = "30d",
    campaign: Annotated[str | None, typer.Option(help="Only leads of this campaign.")] = None,
    limit: Annotated[int, typer.Option(min=0, max=1000, help="Most leads that are listed.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="JSON.")] = False,
) -> None:
    """Score stored leads by a changed profile, without changing them: who changes tier, the spread before and after.

    Example: revenueflow scoring backtest --profile draft.toml --since 30d
    """
    age = _AGE.fullmatch(since)
    if age is None:
        fail("--since takes a number and a unit, such as 30d, 12h or 2w", USAGE)
    now = utcnow()
    which = Which(campaign, False, now - timedelta(**{_UNITS[age[2]]: int(age[1])}))
    folder = guarded(lambda: Settings.only(General)).config_dir

    async def ask(draft: Profile) -> dict[str, Any]:
        vocabulary = defaults.load(Vocabulary, "vocabulary.toml", folder)
        async with Direct(Settings.only(DatabaseSettings), application="backtest") as direct:
            tested = await run(direct, _shelf(vocabulary, folder), Backtest(draft, vocabulary), which, now)
        return tested.told()

    told = guarded(lambda: asyncio.run(ask(_draft(profile, folder))))
    told["moves"] = told["moves"][:limit]
    write_json(told) if as_json else _print(told)


def _draft(name: str, folder: Path | None) -> Profile:
    found = chosen(name, folder)
    assert found is not None
    return found


def _shelf(vocabulary: Vocabulary, folder: Path | None) -> Shelf:
    return Shelf(vocabulary, {signal: rule.overwrite for signal, rule in files.rules(folder).signals.items()})


def _print(told: Mapping[str, Any]) -> None:
    out.print(
        f"{told['leads']} leads by {told['profile']}: {told['score_changed']} scores and {told['tier_changed']} tiers"
        f" change; {told['unscored']} have no score yet",
        markup=False,
    )
    tiers = told["tiers"]
    out.print()
    show([{"tier": one, "before": tiers["before"][one], "after": tiers["after"][one]} for one in tiers["before"]],
         ["tier", "before", "after"], as_json=False)  # fmt: skip
    out.print()
    _histogram(told["histogram"])
    if told["changes"]:
        out.print()
        show([{"change": name, "leads": n} for name, n in told["changes"].items()], ["change", "leads"], as_json=False)
        out.print()
        columns = ["lead_id", "company", "score_before", "score_after", "tier_before", "tier_after", "because"]
        show(told["moves"], columns, as_json=False)


def _histogram(histogram: Mapping[str, Mapping[str, int]]) -> None:
    most = max((count for counts in histogram.values() for count in counts.values()), default=0) or 1
    for name in histogram["before"]:
        for when, mark, style in (("before", "░", "dim"), ("after", "█", "")):
            count = histogram[when][name]
            bar = mark * -(-count * WIDTH // most)
            out.print(Text(f"{name if when == 'before' else '':>7}  {when:<6} {bar} {count}", style=style))
