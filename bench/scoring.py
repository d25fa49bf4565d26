"""What scoring costs: `revenueflow score` over a file by rules alone, and one lead by each shipped profile.

    python -m bench.scoring --rows 100000

`file` is the command as people run it, with its start: seconds, seconds of processor time, and its resident memory at
its peak; `tenth` the same for a tenth of the rows: `growth_mib` is how much more memory ten times the rows take.
`copy_seconds` is the floor: csv.reader and csv.writer over the same file, in this run; `ratio` is the command's
processor time by that. `lead_microseconds` is processor time of `score` for a lead, median and 95th percentile over
leads of which no two are alike, with 12 judged claims; its `floor` is what orjson takes to write the same score.
"""

from __future__ import annotations

import argparse
import csv
import gc
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import psutil

from bench.stack import print_json, say
from revenueflow import defaults
from revenueflow.domain.claim import (
    AnalysisVerdict,
    Claim,
    ClaimField,
    ClaimVerdict,
    JudgedClaim,
    Judgement,
    Verdict,
)
from revenueflow.domain.lead import Intent, LeadForm
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.form_facts import FormFacts
from revenueflow.scoring.profile import Profile
from revenueflow.scoring.score import score

PROFILES = ("grounded", "six_factor", "dual_layer")
HEADER = ("lead_id", "name", "email", "phone", "role", "company", "industry", "location", "linkedin_bio", "source",
          "company_size", "country")  # fmt: skip
ROLES = ("CEO", "VP Sales", "Marketing Manager", "Software Engineer", "Head of Data", "Wizard", "Geschäftsführerin",
         "Senior Consultant", "Leadership coach", "Director of IT")  # fmt: skip
INDUSTRIES = ("SaaS", "Healthcare tech", "Finance", "Widgets", "Consulting", "Maschinenbau", "Retail", "")
SOURCES = ("Referral", "Organic search", "Paid search", "Webinar", "")
SIZES = ("10k+", "51-200", "240", "huge", "", "1000-4999")
COUNTRIES = ("US", "Germany", "France")
MIB = 2**20
LOOK_SECONDS = 0.02


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--leads", type=int, default=5_000)
    parser.add_argument("--profile", choices=PROFILES, default="dual_layer")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        whole, tenth = Path(folder, "whole.csv"), Path(folder, "tenth.csv")
        _write(whole, args.rows)
        _write(tenth, args.rows // 10)
        copied = _copy(whole, Path(folder, "copy.csv"))
        told: dict[str, Any] = {"rows": args.rows, "file_mib": round(whole.stat().st_size / MIB, 1)}
        told["tenth"] = _command(tenth, args.profile)
        told["file"] = _command(whole, args.profile)
    told |= {"copy_seconds": round(copied, 2), "ratio": round(told["file"]["cpu_seconds"] / copied, 1)}
    told["growth_mib"] = round(told["file"]["peak_mib"] - told["tenth"]["peak_mib"], 1)
    told["lead_microseconds"] = {name: _leads(name, args.leads) for name in PROFILES}
    print_json(told)


def _row(number: int) -> list[str]:
    chance = random.Random(number)
    role = chance.choice(ROLES) + (f" {number % 977}" if number % 3 == 0 else "")
    company = number % 5000
    return [
        f"L{number}", f"Dana Reyes {number}", f"dana{number}@company-{company}.example", f"+49 30 {number:07}", role,
        f"Company {company}, Inc", chance.choice(INDUSTRIES), "Berlin, Germany", f"Builder of things, number {number}",
        chance.choice(SOURCES), chance.choice(SIZES), COUNTRIES[company % 3],
    ]  # fmt: skip


def _write(path: Path, rows: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADER, *map(_row, range(rows))])


def _copy(source: Path, target: Path) -> float:
    began = time.process_time()
    with source.open(newline="") as file, target.open("w", newline="") as out:
        csv.writer(out).writerows(csv.reader(file))
    return time.process_time() - began


def _command(path: Path, profile: str) -> dict[str, float]:
    """The command in a process of its own; it must have written a row for each."""
    target = path.with_suffix(".out")
    arguments = ["-m", "revenueflow", "score", str(path), "--no-ai", "--profile", profile, "--out", str(target)]
    began, peak = time.perf_counter(), 0
    child = psutil.Popen([sys.executable, *arguments])
    while child.poll() is None:
        with suppress(psutil.Error):
            peak, times = max(peak, child.memory_info().rss), child.cpu_times()
        time.sleep(LOOK_SECONDS)  # the peak of another process is only found by looking
    seconds = time.perf_counter() - began
    assert child.returncode == 0
    with path.open(newline="") as file, target.open(newline="") as out:
        ids = [[row[0] for row in csv.reader(one)] for one in (file, out)]
    assert ids[0] == ids[1], "rows keep their order and their id"
    say(f"{path.name}: {seconds:.1f} s")
    cpu = times.user + times.system
    return {"seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2), "peak_mib": round(peak / MIB, 1)}


def _leads(name: str, count: int) -> dict[str, Any]:
    vocabulary = defaults.load(Vocabulary, "vocabulary.toml")
    profile = defaults.load(Profile, f"scoring/{name}.toml")
    reader = FormFacts(vocabulary)
    facts = [reader.of(_form(number)) for number in range(count)]
    judged = _judgement()
    made = [score(profile, one, judged, vocabulary) for one in facts]
    gc.collect()
    gc.freeze()
    return {
        "score": _timed(facts, lambda one: score(profile, one, judged, vocabulary)),
        "floor": _timed(made, lambda one: orjson.dumps(one.model_dump(mode="json"))),
    }


def _form(number: int) -> LeadForm:
    row = dict(zip(HEADER, _row(number), strict=True))
    return LeadForm(
        email=row["email"], name=row["name"], phone=row["phone"], company=row["company"],
        title=f"{row['role']} of unit {number}", industry=row["industry"] or None,
        headcount=row["company_size"] or None, source=row["source"] or None, message=row["linkedin_bio"],
    )  # fmt: skip


def _judgement() -> Judgement:
    claims = []
    for number in range(12):
        claim = Claim(id=f"C{number}", field=ClaimField.HEADCOUNT, value=number, statement="It has employees.")
        kind = ClaimVerdict.UNSUPPORTED if number % 4 == 0 else ClaimVerdict.SUPPORTED
        said = Verdict(claim_id=claim.id, verdict=kind, score=1, decided_by="typed", citations=(f"E{number}",))
        claims.append(JudgedClaim(claim=claim, verdict=said))
    return Judgement(verdict=AnalysisVerdict.PARTIAL, fit=60, intent=Intent.MEDIUM, claims=tuple(claims))


def _timed(things: Sequence[Any], work: Callable[[Any], object]) -> dict[str, float]:
    taken = []
    for one in things:
        before = time.process_time_ns()
        work(one)
        taken.append((time.process_time_ns() - before) / 1000)
    return {"median": round(statistics.median(taken), 1), "p95": round(statistics.quantiles(taken, n=20)[-1], 1)}


if __name__ == "__main__":
    main()
