"""The analyst without a model: claims written from the evidence by rule, in the form of an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic import JsonValue

from revenueflow.analysis.base import Asker
from revenueflow.analysis.prompt import Prompt
from revenueflow.domain.claim import Analysis, Citation, Claim, ClaimField
from revenueflow.domain.evidence import Evidence, Signal, Trust
from revenueflow.domain.lead import Intent
from revenueflow.domain.phrases import words
from revenueflow.domain.quantity import count_range, money, year
from revenueflow.domain.text import comparable
from revenueflow.domain.vocabulary import Vocabulary

NAME: Final = "rules"
MODEL: Final = "rules-2"
MOST_TECHNOLOGIES: Final = 3
RANK: Final = {Trust.VENDOR: 0, Trust.FIRST_PARTY: 0, Trust.SELF_REPORTED: 1}
SENTENCES: Final = {
    ClaimField.INDUSTRY: "The company's industry is {}.",
    ClaimField.HEADCOUNT: "The company has {} employees.",
    ClaimField.COUNTRY: "The company is based in {}.",
    ClaimField.TECHNOLOGY: "The company uses {}.",
    ClaimField.FUNDING_STAGE: "The company's funding stage is {}.",
    ClaimField.FUNDING_AMOUNT: "The company has raised {} dollars in funding.",
    ClaimField.REVENUE: "The company's annual revenue is {}.",
    ClaimField.FOUNDED_YEAR: "The company was founded in {}.",
    ClaimField.SENIORITY: "The contact's title is {}.",
    ClaimField.DEPARTMENT: "The contact's department is {}.",
    ClaimField.LOCATION: "The company is based in {}.",
}
SOURCES: Final = {
    ClaimField.INDUSTRY: (Signal.INDUSTRY,),
    ClaimField.HEADCOUNT: (Signal.HEADCOUNT,),
    ClaimField.COUNTRY: (Signal.COUNTRY,),
    ClaimField.FUNDING_STAGE: (Signal.FUNDING_STAGE,),
    ClaimField.FUNDING_AMOUNT: (Signal.FUNDING_TOTAL,),
    ClaimField.REVENUE: (Signal.REVENUE,),
    ClaimField.FOUNDED_YEAR: (Signal.FOUNDED_YEAR,),
    ClaimField.SENIORITY: (Signal.TITLE, Signal.SENIORITY),
    ClaimField.DEPARTMENT: (Signal.DEPARTMENT,),
    ClaimField.LOCATION: (Signal.CITY,),
}
FIT_PER_CLAIM: Final = 8


class Rules:
    """An Analyst that never fails and costs nothing. Its claims pass the same validator as a model's."""

    name = NAME
    model = MODEL

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    async def analyse(self, prompt: Prompt, asker: Asker | None = None) -> Analysis:  # noqa: ARG002 of the Protocol
        """One claim for each kind of fact that the evidence holds; intent by the phrases of the message."""
        drafts = [*self._facts(prompt), *self._technologies(prompt), *_jobs(prompt), *self._signals(prompt)]
        claims = tuple(draft.model_copy(update={"id": f"C{place}"}) for place, draft in enumerate(drafts, start=1))
        asked = any(claim.field is ClaimField.BUYING_SIGNAL for claim in claims)
        return Analysis(
            analyst=NAME,
            model=MODEL,
            prompt_version=prompt.version,
            fit=min(100, FIT_PER_CLAIM * len(claims)),
            intent=Intent.MEDIUM if asked else Intent.LOW,
            claims=claims,
        )

    def _facts(self, prompt: Prompt) -> Iterator[Claim]:
        for field, signals in SOURCES.items():
            for name, piece in _ranked(prompt, signals):
                if self._readable(field, piece):
                    yield _claim(field, piece.value, _plain(piece.value), name, piece)
                    break

    def _readable(self, field: ClaimField, piece: Evidence) -> bool:
        """Whether the value can be understood: what we can't read we don't claim."""
        value = piece.value
        if field is ClaimField.HEADCOUNT:
            return count_range(value) is not None
        if field is ClaimField.FOUNDED_YEAR:
            return year(value) is not None
        if field in (ClaimField.FUNDING_AMOUNT, ClaimField.REVENUE):
            return money(value) is not None
        if field is ClaimField.LOCATION:
            return isinstance(value, str) and bool(words(value))
        return isinstance(value, str) and self._known(field, value)

    def _known(self, field: ClaimField, value: str) -> bool:
        readers = {
            ClaimField.INDUSTRY: self._vocabulary.industry,
            ClaimField.COUNTRY: self._vocabulary.country,
            ClaimField.FUNDING_STAGE: self._vocabulary.funding_stage,
            ClaimField.SENIORITY: self._vocabulary.seniority_level,
            ClaimField.DEPARTMENT: self._vocabulary.department,
        }
        return readers[field](value) is not None

    def _technologies(self, prompt: Prompt) -> Iterator[Claim]:
        seen: set[str] = set()
        for name, piece in _ranked(prompt, (Signal.TECHNOLOGIES,)):
            for place, item in enumerate(piece.value if isinstance(piece.value, list) else []):
                known = self._vocabulary.technology(item) if isinstance(item, str) else ""
                if known and known not in seen and len(seen) < MOST_TECHNOLOGIES:
                    seen.add(known)
                    yield _claim(ClaimField.TECHNOLOGY, item, str(item), name, piece, f"{piece.path}[{place}]")

    def _signals(self, prompt: Prompt) -> Iterator[Claim]:
        for name, piece in _ranked(prompt, (Signal.MESSAGE,)):
            text = comparable(piece.value) if isinstance(piece.value, str) else ""
            for signal in self._vocabulary.mentions("buying_signal", text)[:2]:
                said = signal.replace("_", " ")
                citation = Citation(evidence_id=name, json_path=piece.path)
                statement = f"The message is about {said}."
                yield Claim(
                    id="",
                    field=ClaimField.BUYING_SIGNAL,
                    value=signal,
                    statement=statement,
                    citations=(citation,),
                )


def _jobs(prompt: Prompt) -> Iterator[Claim]:
    """How many jobs the company offers, by the first list of them that has any."""
    for name, piece in _ranked(prompt, (Signal.JOB_POSTINGS,)):
        titles = [item for item in piece.value if isinstance(item, str)] if isinstance(piece.value, list) else []
        if titles and all("\n" not in title and comparable(title) for title in titles):
            citation = Citation(evidence_id=name, json_path=piece.path)
            noun = "position" if len(titles) == 1 else "positions"
            yield Claim(
                id="",
                field=ClaimField.HIRING,
                value=len(titles),
                statement=f"The company has {len(titles)} open {noun}.",
                citations=(citation,),
            )
            break


def _ranked(prompt: Prompt, signals: tuple[Signal, ...]) -> list[tuple[str, Evidence]]:
    """The pieces with one of these signals: trusted ones first, then by order of signals, then the newest."""
    found = [(name, piece) for name, piece in prompt.evidence.items() if piece.signal in signals]
    newest = sorted(found, key=lambda pair: pair[1].fetched_at, reverse=True)
    return sorted(newest, key=lambda pair: (RANK[pair[1].trust], signals.index(pair[1].signal)))


def _claim(
    field: ClaimField, value: JsonValue, shown: str, name: str, piece: Evidence, path: str | None = None
) -> Claim:
    citation = Citation(evidence_id=name, json_path=path or piece.path, quote=shown)
    sentence = SENTENCES[field].format(shown)
    return Claim(id="", field=field, value=value, statement=sentence, citations=(citation,))


def _plain(value: JsonValue) -> str:
    """The value as it stands in the evidence line: digits of a number, a text as it is."""
    return value if isinstance(value, str) else str(value)
