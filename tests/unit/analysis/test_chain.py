"""The first that answers wins, and why the others did not is known."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from revenueflow import defaults
from revenueflow.analysis.base import Asker, Unusable
from revenueflow.analysis.chain import analyse, outage
from revenueflow.analysis.models.rules import Rules
from revenueflow.analysis.prompt import Prompt
from revenueflow.domain.claim import Analysis
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.errors import Unavailable, UpstreamError, UpstreamRejected, UpstreamUnavailable
from tests.unit.analysis.evidence import prompt


@dataclass(frozen=True)
class Failing:
    """An analyst that always fails in one way."""

    error: UpstreamError
    name: str = "broken"
    model: str = "broken-1"

    async def analyse(self, prompt: Prompt, asker: Asker | None = None) -> Analysis:
        raise self.error


async def test_each_failure_is_kept_with_its_reason() -> None:
    chain = [
        Failing(UpstreamUnavailable("a", "rate_limited", retry_after=7), name="a"),
        Failing(UpstreamRejected("b", "truncated"), name="b"),
        Rules(defaults.load(Vocabulary, "vocabulary.toml")),
    ]
    found, failures = await analyse(prompt(), chain)
    assert found.analyst == "rules"
    assert [(f.analyst, f.reason, f.retryable, f.retry_after) for f in failures] == [
        ("a", "rate_limited", True, 7),
        ("b", "truncated", False, None),
    ]


async def test_the_first_answer_ends_it() -> None:
    rules = Rules(defaults.load(Vocabulary, "vocabulary.toml"))
    found, failures = await analyse(prompt(), [rules, Failing(UpstreamRejected("b", "empty"))])
    assert (found.analyst, failures) == ("rules", ())


async def test_a_chain_that_ends_without_an_answer_says_why() -> None:
    with pytest.raises(Unavailable, match="broken empty"):
        await analyse(prompt(), [Failing(UpstreamRejected("broken", "empty"))])


async def test_a_fault_of_our_own_is_not_taken_for_an_outage() -> None:
    class Buggy(Failing):
        async def analyse(self, prompt: Prompt, asker: Asker | None = None) -> Analysis:
            raise KeyError("bug")

    with pytest.raises(KeyError):
        await analyse(prompt(), [Buggy(UpstreamRejected("b", "x"))])


@pytest.mark.parametrize(
    ("error", "is_outage"),
    [
        (UpstreamUnavailable("a", "overloaded"), True),
        (UpstreamUnavailable("a", "breaker_open"), True),
        (UpstreamUnavailable("a", "cap_money", retry_after=3600), True),
        (UpstreamRejected("a", "bad_key"), True),
        (Unusable("a", "blocked"), False),
        (Unusable("a", "truncated"), False),
        (Unusable("a", "schema_invalid"), False),
    ],
)
async def test_only_a_failure_that_may_mend_makes_it_worth_asking_again(error: UpstreamError, is_outage: bool) -> None:
    rules = Rules(defaults.load(Vocabulary, "vocabulary.toml"))
    assert bool(outage(*await analyse(prompt(), [Failing(error), rules]))) is is_outage
    assert not outage(*await analyse(prompt(), [rules]))


async def test_an_answer_of_the_next_model_is_no_outage() -> None:
    class Model(Rules):
        async def analyse(self, prompt: Prompt, asker: Asker | None = None) -> Analysis:
            return (await super().analyse(prompt)).model_copy(update={"analyst": "bedrock"})

    model = Model(defaults.load(Vocabulary, "vocabulary.toml"))
    found, failures = await analyse(prompt(), [Failing(UpstreamUnavailable("a", "overloaded")), model])
    assert (found.analyst, len(failures), outage(found, failures)) == ("bedrock", 1, None)
