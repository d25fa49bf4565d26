"""A little evidence to ask about."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from pydantic import JsonValue

from revenueflow import defaults
from revenueflow.analysis.prompt import Prompt, PromptTemplate, build
from revenueflow.domain.evidence import Evidence, Signal, Trust


def piece(
    signal: str, value: JsonValue, *, provider: str = "clearbit", trust: Trust = Trust.VENDOR, number: int = 1
) -> Evidence:
    return Evidence(
        id=UUID(int=number),
        provider=provider,
        signal=Signal(signal),
        path=f"$.{signal}",
        value=value,
        fetched_at=datetime(2026, 11, 2, 9, number % 60, tzinfo=UTC),
        trust=trust,
    )


def template() -> PromptTemplate:
    return PromptTemplate.parse(defaults.text("prompts/analyse.md"))


def prompt(*pieces: Evidence) -> Prompt:
    return build(pieces or (piece("headcount", 240),), template())
