"""The fake Gemini over real HTTP: Google's wire, and claims that the grounding validator judges."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import orjson
import pytest

from revenueflow import defaults
from revenueflow.analysis import opinions
from revenueflow.analysis.models.aws import Keys
from revenueflow.analysis.models.bedrock import Bedrock
from revenueflow.analysis.models.gemini import Gemini
from revenueflow.analysis.models.vertex import Vertex
from revenueflow.analysis.prompt import Prompt, PromptTemplate, build
from revenueflow.clock import utcnow
from revenueflow.domain.claim import Citation, Claim, ClaimField, ClaimVerdict
from revenueflow.domain.evidence import Evidence, Signal, Trust
from revenueflow.domain.opinion import Source
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.base import Question
from revenueflow.enrichment.providers.clearbit import Clearbit
from revenueflow.enrichment.providers.hunter import Hunter
from revenueflow.errors import UpstreamRejected, UpstreamUnavailable
from revenueflow.grounding.opinion import hear
from revenueflow.grounding.rules import GroundingRules
from revenueflow.grounding.validator import judge
from revenueflow.privacy.masking import Mask
from revenueflow.sandbox.directory import DATA
from tests.support.sandbox_http import Sandbox, running

COMPANIES: list[dict[str, Any]] = orjson.loads((DATA / "companies.json").read_bytes())
EMPTY_PROMPT = {"contents": [{"parts": [{"text": "<evidence>\n</evidence>"}]}]}
CONTRADICTIONS = 0.02
"""Share of true claims that may come back ambiguous, because another vendor says something else."""


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running() as started:
        yield started


@pytest.mark.parametrize(
    ("headers", "body", "status", "name"),
    [
        ({}, orjson.dumps(EMPTY_PROMPT), 403, "PERMISSION_DENIED"),
        ({"x-goog-api-key": "k"}, b"{", 400, "INVALID_ARGUMENT"),
        ({"x-goog-api-key": "k"}, b'{"contents": []}', 400, "INVALID_ARGUMENT"),
    ],
)
async def test_google_refuses_in_its_own_form(
    sandbox: Sandbox, headers: dict[str, str], body: bytes, status: int, name: str
) -> None:
    answer = await sandbox.ask("gemini", "POST", "/v1beta/models/m:generateContent", headers=headers, content=body)
    assert answer.status_code == status
    assert (answer.json()["error"]["code"], answer.json()["error"]["status"]) == (status, name)


async def test_googles_answer(sandbox: Sandbox) -> None:
    answer = await sandbox.ask(
        "gemini", "POST", "/v1/models/some-model:generateContent", headers={"x-goog-api-key": "k"}, json=EMPTY_PROMPT
    )
    body = answer.json()
    assert body["candidates"][0]["finishReason"] == "STOP"
    assert body["candidates"][0]["content"]["parts"][0]["text"]
    assert body["usageMetadata"]["totalTokenCount"] > 0 and body["modelVersion"] == "some-model" and body["responseId"]


MESSAGES = (
    "Please send pricing for 50 seats. We have an approved budget.",
    "Can we get a demo this quarter?",
    "Just browsing, we don't have a budget.",
    "Wir hätten gern ein Angebot.",
)
TITLES = ("VP Engineering", "CEO", "Head of Marketing", "Sales Manager", "Software Engineer")


async def evidence(sandbox: Sandbox, place: int) -> list[Evidence]:
    """What a lead of this company would have, by our own clients."""
    chosen = COMPANIES[place]
    url = sandbox.urls
    providers = (
        Clearbit("k", base_url=url["clearbit"], person_base_url=url["clearbit"]),
        Hunter("k", base_url=url["hunter"]),
    )
    form = {Signal.MESSAGE: MESSAGES[place % len(MESSAGES)], Signal.TITLE: TITLES[place % len(TITLES)]}
    pieces = [piece("form", signal, "$", value, Trust.SELF_REPORTED) for signal, value in form.items()]
    for provider in providers:
        (found,) = await provider.look_up(provider.lookups[0], [Question(chosen["domain"])])
        pieces += [piece(provider.name, fact.signal, fact.path, fact.value, Trust.VENDOR) for fact in found.facts]
        await provider.aclose()
    return pieces


def piece(provider: str, signal: Signal, path: str, value: Any, trust: Trust) -> Evidence:
    return Evidence(
        id=uuid4(), provider=provider, signal=signal, path=path, value=value, fetched_at=utcnow(), trust=trust
    )


def test_prompts_are_read_as_they_are_built() -> None:
    template = PromptTemplate.parse(defaults.text("prompts/analyse.md"))
    assert "<evidence>\n" in build([], template).user


@pytest.mark.slow
async def test_true_claims_hold_and_invented_ones_do_not(sandbox: Sandbox) -> None:
    vocabulary = defaults.load(Vocabulary, "vocabulary.toml")
    rules = defaults.load(GroundingRules, "grounding.toml")
    template = PromptTemplate.parse(defaults.text("prompts/analyse.md"))
    gemini = Gemini(api_key="k", model="m", base_url=sandbox.urls["gemini"])
    await sandbox.break_("gemini", invent_rate=1)
    true: list[ClaimVerdict] = []
    for place in range(0, len(COMPANIES), 2):
        prompt: Prompt = build(await evidence(sandbox, place), template)
        analysis = await gemini.analyse(prompt)
        invented = (await sandbox.requests("gemini"))[-1]["invented"]
        judged = judge(analysis.claims, prompt.evidence, vocabulary, rules)
        assert not [one for at, one in enumerate(judged) if at in invented and one.supported]
        true += [one.verdict.verdict for at, one in enumerate(judged) if at not in invented]
        assert invented
    await gemini.aclose()
    assert set(true) <= {ClaimVerdict.SUPPORTED, ClaimVerdict.AMBIGUOUS}
    assert true.count(ClaimVerdict.AMBIGUOUS) <= CONTRADICTIONS * len(true)


def clients(sandbox: Sandbox) -> list[Gemini | Vertex | Bedrock]:
    url = sandbox.urls
    return [
        Gemini(api_key="k", model="m", base_url=url["gemini"]),
        Vertex(api_key="k", model="m", base_url=url["vertex"]),
        Bedrock(keys=Keys("AKID", "secret"), region="eu-central-1", model="us.m-v1:0", base_url=url["bedrock"]),
    ]


async def test_the_other_dialects_give_the_same_answers_and_own_up_to_inventions(sandbox: Sandbox) -> None:
    template = PromptTemplate.parse(defaults.text("prompts/analyse.md"))
    prompt: Prompt = build(await evidence(sandbox, 0), template)
    for rate in (0, 1):
        found = []
        for client in clients(sandbox):
            await sandbox.break_(client.name, invent_rate=rate)
            found.append(await client.analyse(prompt))
            await client.aclose()
        claims = [{(one.field, str(one.value)) for one in analysis.claims} for analysis in found]
        assert all(analysis.input_tokens > 100 and analysis.output_tokens > 10 for analysis in found)
        if rate == 0:
            assert claims[0] == claims[1] == claims[2] != set()
        else:
            assert all([(await sandbox.requests(name))[-1]["invented"] for name in ("gemini", "vertex", "bedrock")])


async def test_the_dialects_give_second_opinions_and_no_lie_of_theirs_counts(sandbox: Sandbox) -> None:
    """Quotes that are made up stand in no evidence: whatever the model says, the claim stays undecided."""
    vocabulary, rules = defaults.load(Vocabulary, "vocabulary.toml"), defaults.load(GroundingRules, "grounding.toml")
    text = "We doubled the support team last spring."
    numbered = {"E1": piece("hunter", Signal.DESCRIPTION, "$", text, Trust.VENDOR)}
    said = "The company expands its support team."
    claim = Claim(id="C1", field=ClaimField.OTHER, statement=said, citations=(Citation(evidence_id="E1"),))
    judged = judge([claim], numbered, vocabulary, rules)
    template = opinions.template(defaults.text("prompts/second_opinion.md"))
    question = opinions.build([claim], numbered, template, Mask())
    for rate, verdict in ((0, ClaimVerdict.SUPPORTED), (1, ClaimVerdict.NOT_CHECKABLE)):
        for client in clients(sandbox):
            await sandbox.break_(client.name, invent_rate=rate)
            reply = await client.ask(question)
            await client.aclose()
            answer = opinions.read(reply.text)
            assert answer is not None and reply.usage.input_tokens > 100
            source = Source(model=client.model, prompt_version=template.version)
            (after,) = hear(judged, answer.each(), source, numbered, vocabulary, rules, utcnow())
            assert after.verdict.verdict is verdict
            assert (await sandbox.requests(client.name))[-1]["invented"] == ([0] if rate else [])


@pytest.mark.parametrize(
    ("upstream", "path", "headers", "status"),
    [
        ("vertex", "/v1beta1/projects/p/locations/l/publishers/google/models/m:generateContent", {}, 401),
        ("vertex", "/v1beta1/publishers/google/models/m:generateContent", {}, 401),
        ("vertex", "/v1beta1/publishers/google/models/m:generateContent", {"x-goog-api-key": "k"}, 200),
        (
            "vertex",
            "/v1/projects/p/locations/l/publishers/google/models/m:generateContent",
            {"authorization": "Bearer t"},
            200,
        ),
        ("vertex", "/v1beta/models/m:generateContent", {"x-goog-api-key": "k"}, 404),
        ("bedrock", "/model/m%3A0/converse", {}, 403),
        ("bedrock", "/model/m%3A0/converse", {"authorization": "Bearer k"}, 400),
    ],
)
async def test_who_is_let_in(sandbox: Sandbox, upstream: str, path: str, headers: dict[str, str], status: int) -> None:
    answer = await sandbox.ask(upstream, "POST", path, headers=headers, json=EMPTY_PROMPT)
    assert answer.status_code == status
    if upstream == "bedrock":
        assert answer.headers["x-amzn-errortype"] and answer.json()["message"]


async def test_a_refusal_by_google_reaches_our_client(sandbox: Sandbox) -> None:
    gemini = Gemini(api_key="k", model="m", base_url=sandbox.urls["gemini"], tries=1)
    prompt = build([], PromptTemplate.parse(defaults.text("prompts/analyse.md")))
    await sandbox.break_("gemini", error_rate=1, status=503)
    with pytest.raises(UpstreamUnavailable):
        await gemini.analyse(prompt)
    await sandbox.break_("gemini", error_rate=1, status=400)
    with pytest.raises(UpstreamRejected):
        await gemini.analyse(prompt)
    await gemini.aclose()
