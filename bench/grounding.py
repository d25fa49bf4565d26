"""What the grounding validator costs: processor time of `judge`, for claims of every field over typed evidence.

    python -m bench.grounding

Claims and evidence are those of the adversarial set (tests/support), true and fabricated ones mixed. Prints JSON, in
seconds of processor time: for each size the median and the 95th percentile over `--rounds`, in each of which other
claims over other evidence are judged, so that nothing is remembered between rounds. `floor` is what orjson takes to
write the same evidence, in the same run; `claims_ratio` and `evidence_ratio` say what twice as much costs (linear: 2
and less).
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import time
from collections.abc import Callable
from datetime import datetime
from itertools import cycle, islice
from typing import Any
from uuid import UUID, uuid5

import orjson

from bench.stack import print_json
from revenueflow import defaults
from revenueflow.domain.claim import Claim
from revenueflow.domain.evidence import Evidence
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.grounding.rules import GroundingRules
from revenueflow.grounding.validator import judge
from tests.support import adversarial

SPACE = UUID("a6a5de9c-9d43-57b5-9d8f-3e2e8f3e6f10")
SIZES = ((12, 60), (24, 60), (12, 120))
Round = tuple[list[Claim], dict[str, Evidence]]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=400)
    rounds = parser.parse_args().rounds
    vocabulary = defaults.load(Vocabulary, "vocabulary.toml")
    rules = defaults.load(GroundingRules, "grounding.toml")
    leads = adversarial.leads()
    made = {size: [_round(leads, place, *size) for place in range(rounds)] for size in SIZES}
    gc.collect()
    gc.freeze()
    told: dict[str, Any] = {}
    for (claims, pieces), prepared in made.items():
        told[f"{claims}x{pieces}"] = _timed(prepared, lambda one: judge(one[0], one[1], vocabulary, rules))
    told["floor"] = _timed(made[SIZES[0]], lambda one: [orjson.dumps(piece.value) for piece in one[1].values()])
    base = told["12x60"]["median"]
    told["claims_ratio"] = round(told["24x60"]["median"] / base, 3)
    told["evidence_ratio"] = round(told["12x120"]["median"] / base, 3)
    print_json(told)


def _round(leads: list[adversarial.Lead], place: int, claims: int, pieces: int) -> Round:
    """One lead's claims, over its evidence and that of others under new ids."""
    chance = random.Random(place)
    lead = leads[place % len(leads)]
    own = {row["id"]: _piece(row, place) for row in lead.evidence}
    others = (row for other in leads if other is not lead for row in other.evidence if _neutral(row))
    more = islice(cycle(list(others)), max(0, pieces - len(own)))
    evidence = own | {f"E{at}": _piece(row, place) for at, row in enumerate(more, start=len(own) + 1)}
    true = [row for row in lead.claims if lead.labels.get(row["id"]) == "supported"]
    false = [row for row in lead.claims if lead.labels.get(row["id"]) != "supported"]
    chosen = chance.sample(true, claims - claims // 4) + chance.sample(false, claims // 4)
    return [Claim.model_validate(row) for row in chosen], evidence


def _neutral(row: dict[str, Any]) -> bool:
    """What does not make every claim a conflict of vendors."""
    return row["signal"] in ("news", "job_postings", "posts", "technologies", "message", "title")


def _piece(row: dict[str, Any], place: int) -> Evidence:
    return Evidence(
        id=uuid5(SPACE, f"{place}/{row['id']}"),
        provider=row["provider"],
        signal=row["signal"],
        path=row["path"],
        value=row["data"],
        fetched_at=datetime.fromisoformat(row["fetched_at"]),
        trust=row["trust"],
    )


def _timed(rounds: list[Round], work: Callable[[Round], object]) -> dict[str, float]:
    taken = []
    for one in rounds:
        before = time.process_time()
        work(one)
        taken.append(time.process_time() - before)
    return {"median": round(statistics.median(taken), 6), "p95": round(statistics.quantiles(taken, n=20)[-1], 6)}


if __name__ == "__main__":
    main()
