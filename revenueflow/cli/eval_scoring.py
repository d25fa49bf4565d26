"""`revenueflow eval scoring`: a profile, measured on leads whose score or tier people have written down."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, NamedTuple

import orjson
import typer

from revenueflow import defaults
from revenueflow.cli import labelled
from revenueflow.cli.feeding import Feed
from revenueflow.cli.labelled import Predictions
from revenueflow.cli.run import fail, guarded, write_json
from revenueflow.cli.score import chosen
from revenueflow.domain.lead import Tier
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.pipeline.score_file import ByRules, Choice, Scored, score_rows
from revenueflow.scoring.profile import Profile
from revenueflow.scoring.reasoning import reasoning
from revenueflow.settings import General, Settings
from revenueflow.sources.csv import columns
from revenueflow.sources.csv.reader import Reader
from revenueflow.wiring import files

SCORE, TIER = "expected_score", "expected_tier"
NEAR = 5


class Answer(NamedTuple):
    """A row, what people expect of it, and what we say."""

    row: Scored
    expected_score: int | None
    expected_tier: Tier | None

    @property
    def right(self) -> bool:
        """Whether we say what is expected."""
        score = self.row.score
        return self.expected_score in (None, score.total) and self.expected_tier in (None, score.tier)

    def told(self) -> dict[str, Any]:
        """As a line of a file."""
        score = self.row.score
        return {
            "line": self.row.line,
            "lead_id": self.row.given.source_id,
            SCORE: self.expected_score,
            "score": score.total,
            TIER: self.expected_tier,
            "tier": score.tier,
            "profile": score.profile,
            "right": self.right,
            "reasoning": reasoning(score),
        }


def scoring(
    file: Annotated[Path, typer.Argument(help="A CSV of leads with expected_score or expected_tier.")],
    profile: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="Scoring profile; default: of the campaign.")
    ] = None,
    predictions: Predictions = None,
    misses: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Also write what was wrong to this file, as JSON Lines.")
    ] = None,
) -> None:
    """Score leads by rules, and compare with expected_score and expected_tier: hot, warm, cold, or the profile's words.

    Example: revenueflow eval scoring labelled.csv --profile six_factor --misses wrong.jsonl
    """
    folder = guarded(lambda: Settings.only(General)).config_dir
    choice = guarded(lambda: Choice(files.profiles(folder), chosen(profile, folder)))
    start = perf_counter()
    answers = guarded(lambda: asyncio.run(_answers(file, choice, folder)))
    if not any(one.expected_score is not None or one.expected_tier for one in answers):
        fail(f"{file}: no row has an {SCORE} or an {TIER}")
    wrong = [one.told() for one in answers if not one.right]
    labelled.write(predictions, (one.told() for one in answers))
    labelled.write(misses, wrong)
    measured = {"n": len(answers), "score": _scores(answers), "tier": _tiers(answers), "misses": len(wrong)}
    write_json(measured | {"seconds": round(perf_counter() - start, 4)})


def _scores(answers: list[Answer]) -> dict[str, Any]:
    off = [abs(one.row.score.total - one.expected_score) for one in answers if one.expected_score is not None]
    return {
        "n": len(off),
        "exact": labelled.share(sum(not one for one in off), len(off)),
        f"within_{NEAR}": labelled.share(sum(one <= NEAR for one in off), len(off)),
        "mean_absolute_error": round(sum(off) / len(off), 4) if off else None,
        "largest_error": max(off, default=None),
    }


def _tiers(answers: list[Answer]) -> dict[str, Any]:
    pairs = [(one.expected_tier.value, one.row.score.tier.value) for one in answers if one.expected_tier]
    expected, found = [label for label, _ in pairs], [answer for _, answer in pairs]
    return {"n": len(pairs), **labelled.classes(expected, found)}


async def _answers(file: Path, choice: Choice, folder: Path | None) -> list[Answer]:
    vocabulary = defaults.load(Vocabulary, "vocabulary.toml", folder)
    try:
        with Feed(file) as feed:
            rows = score_rows(feed.pieces(), Reader(columns.Choice(), folder), ByRules(choice, vocabulary))
            return [_answer(row, file, choice) async for row in rows]
    except OSError as error:
        fail(f"{file}: can't be read: {error.strerror}")


def _answer(row: Scored, file: Path, choice: Choice) -> Answer:
    given = {name.strip().casefold().replace(" ", "_"): value.strip() for name, value in _cells(row).items()}
    score, tier = given.get(SCORE), given.get(TIER)
    tiers = _words(choice.of(row.given.campaign_id))
    if score and not (score.isascii() and score.isdigit() and int(score) <= 100):
        fail(f"{file}:{row.line}: {SCORE}: must be a number from 0 to 100")
    if tier and tier.casefold() not in tiers:
        fail(f"{file}:{row.line}: {TIER}: must be one of {', '.join(tiers)}")
    return Answer(row, int(score) if score else None, tiers[tier.casefold()] if tier else None)


def _words(profile: Profile) -> dict[str, Tier]:
    """What a tier may be called: its own name, or the profile's."""
    return {tier.value: tier for tier in Tier} | {word.casefold(): tier for tier, word in profile.labels.items()}


def _cells(row: Scored) -> Mapping[str, str]:
    cells: dict[str, str] = orjson.loads(row.row.raw)
    return cells
