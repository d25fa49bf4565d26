"""pipe0: one API in front of many sources; each lookup runs the pipes that PIPES names.

POST {base}/v1/pipes/run/sync   fewer than 10 records; waits up to three minutes, then 408 with the run's id
POST {base}/v1/pipes/run        up to 100 records; answers at once with the run's id
GET  {base}/v1/pipes/check/{id} how the run stands; a run is kept for 21 days
     {"config", "pipes": [{"pipe_id"}], "input": [{"id", …}]}
     {"id", "status", "errors": [{"code", "message", "path"}], "records": {id: {"id", "fields": {name: field}}}}
     field: {"value", "status", "reason", "claimed_by": {"ref": pipe}, "resolved_by": {"ref": pipe}}

What pipe0 publishes only in its catalogue was not at hand; each guess has a function or a table of its own. What a
pipe calls its fields: those that it claims, by a word in the name (`_rows`). How an unknown pipe is refused: an error
whose path is in `pipes` (`_unknown_pipe`). How a used-up balance ends a run: a word in the code (`_out_of_credits`).
The pipe for job postings: JOBS. That the pipe for posts takes the profile which another pipe finds by email.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple
from urllib.parse import quote

from pydantic import JsonValue

from revenueflow.domain.evidence import Signal, Trust
from revenueflow.enrichment.base import Findings, KeyKind, Lookup, Question, Status
from revenueflow.enrichment.mapping import Converter, Field, amount, amount_or_range, count_or_range, prose, text, year
from revenueflow.enrichment.providers.answers import Part, by_handle, found, refused
from revenueflow.enrichment.providers.lists import latest_round, listed, without_profiles
from revenueflow.errors import OutcomeUnknown, UpstreamRejected
from revenueflow.resilience.http import Client, new_client
from revenueflow.resilience.upstream import Answer, HttpUpstream

LARGEST = 50
SYNC_BELOW = 10
POLL_SECONDS = 3.0
JOBS = "company:jobs:crustdata@1"


class Output(NamedTuple):
    """A field of a pipe: the first whose name has one of `words` in it."""

    signal: Signal
    convert: Converter
    words: str


class Pipes(NamedTuple):
    """The pipes of a lookup, by what they are asked, and what the last of them gives."""

    key: KeyKind
    pipes: tuple[str, ...]
    outputs: tuple[Output, ...]


PIPES: Mapping[str, Pipes] = {
    "company": Pipes(
        KeyKind.DOMAIN,
        ("company:overview@2",),
        (
            Output(Signal.COMPANY_NAME, text, r"^company_name$"),
            Output(Signal.DESCRIPTION, prose, r"description"),
            Output(Signal.INDUSTRY, text, r"industry"),
            Output(Signal.HEADCOUNT, count_or_range, r"headcount|employee"),
            Output(Signal.REVENUE, amount_or_range, r"revenue"),
            Output(Signal.FOUNDED_YEAR, year, r"founded"),
        ),
    ),
    "technologies": Pipes(
        KeyKind.DOMAIN,
        ("company:techstack:builtwith@1",),
        (Output(Signal.TECHNOLOGIES, listed(text, "name", "technology"), r"tech|stack"),),
    ),
    "funding": Pipes(
        KeyKind.DOMAIN,
        ("company:funding:leadmagic@1",),
        (
            Output(Signal.FUNDING_TOTAL, amount, r"total"),
            Output(Signal.FUNDING_STAGE, latest_round, r"rounds|stage|series"),
        ),
    ),
    "news": Pipes(
        KeyKind.DOMAIN,
        ("company:newssummary:website@1",),
        (Output(Signal.NEWS, listed(without_profiles, "summary", "title"), r"news|summary"),),
    ),
    "posts": Pipes(
        KeyKind.EMAIL,
        ("people:profileurl:email:waterfall@1", "people:posts:crustdata@1"),
        (Output(Signal.POSTS, listed(without_profiles, "text", "content"), r"post"),),
    ),
    "jobs": Pipes(
        KeyKind.DOMAIN,
        (JOBS,),
        (Output(Signal.JOB_POSTINGS, listed(text, "title", "job_title"), r"job|posting"),),
    ),
}


class Pipe0:
    """pipe0's API, version 1."""

    name = "pipe0"
    trust = Trust.VENDOR
    lookups = tuple(
        Lookup(name, one.key, frozenset(output.signal for output in one.outputs), LARGEST)
        for name, one in PIPES.items()
    )

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str = "https://api.pipe0.com",
        timeout: float = 5.0,
        sync_timeout: float = 25.0,
        client: Client | None = None,
    ) -> None:
        """`timeout` is in seconds, for one try; `sync_timeout` for one that waits for the result."""
        self._own = None if client else new_client()
        shared, headers = client or self._own, {"authorization": f"Bearer {api_key}"}
        self._upstream = HttpUpstream(self.name, base_url, headers=headers, timeout=timeout, client=shared)
        self._waiting = HttpUpstream(self.name, base_url, headers=headers, timeout=sync_timeout, client=shared)

    async def look_up(self, lookup: Lookup, questions: Sequence[Question]) -> Sequence[Findings]:
        """One run for all that are new, and one look at each run that is under way."""
        pipes = PIPES[lookup.name]

        async def ask(handle: str | None, keys: list[str]) -> list[Findings]:
            return await (self._run(pipes, keys) if handle is None else self._check(pipes, handle, keys))

        return await by_handle(questions, ask)

    async def aclose(self) -> None:
        """Closes the client, if it is ours."""
        if self._own:
            await self._own.aclose()

    async def _run(self, pipes: Pipes, keys: list[str]) -> list[Findings]:
        """A lost answer may have been paid for: it is not repeated."""
        sync = len(keys) < SYNC_BELOW
        upstream, path = (self._waiting, "/v1/pipes/run/sync") if sync else (self._upstream, "/v1/pipes/run")
        answer = await upstream.request("POST", path, json=_payload(pipes, keys), allow=(200, 201, 202, 400, 408, 422))
        if not isinstance(answer.data, dict):
            raise OutcomeUnknown(self.name, "timeout" if answer.status == 408 else "malformed")
        if answer.status in (400, 422) and not _unknown_pipe(answer.data):
            raise UpstreamRejected(self.name, "bad_request" if answer.status == 400 else "invalid")
        return self._findings(pipes, keys, answer, answer.data)

    async def _check(self, pipes: Pipes, handle: str, keys: list[str]) -> list[Findings]:
        answer = await self._upstream.request("GET", f"/v1/pipes/check/{quote(handle, safe='')}", allow=(200, 404))
        if answer.status == 404:
            return [refused("expired")] * len(keys)
        if not isinstance(answer.data, dict):
            raise UpstreamRejected(self.name, "malformed")
        return self._findings(pipes, keys, answer, answer.data, handle)

    def _findings(
        self, pipes: Pipes, keys: list[str], answer: Answer, data: dict[str, JsonValue], handle: str | None = None
    ) -> list[Findings]:
        status, run = data.get("status"), handle or _run_id(data)
        if _unknown_pipe(data):
            return [refused("not_in_plan")] * len(keys)
        if run and (answer.status == 408 or status in ("pending", "processing")):
            wait = answer.retry_after or POLL_SECONDS
            return [Findings(status=Status.PENDING, retry_after=wait, handle=run)] * len(keys)
        if _out_of_credits(data):
            raise UpstreamRejected(self.name, "quota")
        if status in ("failed", "canceled"):
            return [refused("run_failed")] * len(keys)
        if status != "completed":
            raise (UpstreamRejected if handle else OutcomeUnknown)(self.name, "malformed")
        return [_of_record(pipes, key, data) for key in keys]


def record_id(key: str) -> str:
    """The id of a question's record: the same in each run, and a name in a path."""
    return f"k{blake2b(key.encode(), digest_size=8).hexdigest()}"


def _payload(pipes: Pipes, keys: list[str]) -> dict[str, Any]:
    return {
        "config": {"environment": "production"},
        "pipes": [{"pipe_id": pipe} for pipe in pipes.pipes],
        "input": [{"id": record_id(key), **_input(pipes.key, key)} for key in dict.fromkeys(keys)],
    }


def _input(kind: KeyKind, key: str) -> dict[str, str]:
    return {"email": key} if kind is KeyKind.EMAIL else {"company_website_url": f"https://{key}"}


def _run_id(data: dict[str, JsonValue]) -> str | None:
    run = data.get("id") or data.get("run_id")
    return run if isinstance(run, str) else None


def _of_record(pipes: Pipes, key: str, data: dict[str, JsonValue]) -> Findings:
    path = ("records", record_id(key), "fields")
    fields = data
    for name in path:
        inside = fields.get(name)
        if not isinstance(inside, dict):
            return refused("malformed")
        fields = inside
    ours = {name: one for name, one in fields.items() if isinstance(one, dict) and _pipe_of(one) == pipes.pipes[-1]}
    findings = found(data, Part(f"$.{'.'.join(path)}", _rows(pipes.outputs, ours)))
    failed = any(one.get("status") == "failed" for one in ours.values())
    return refused("source_failed") if failed and findings.status is Status.NOT_FOUND else findings


def _pipe_of(given: dict[str, JsonValue]) -> JsonValue:
    claim = given.get("claimed_by")
    return claim.get("ref") if isinstance(claim, dict) else None


def _rows(outputs: Sequence[Output], fields: Mapping[str, dict[str, JsonValue]]) -> tuple[Field, ...]:
    """The table of one record: what a pipe's completed fields are called decides what they are."""
    done = [name for name, given in fields.items() if given.get("status") == "completed" and re.fullmatch(r"\w+", name)]
    return tuple(
        Field(one.signal, one.convert, tuple(f"{name}.value" for name in done if re.search(one.words, name))[:1])
        for one in outputs
    )


def _errors(data: dict[str, JsonValue]) -> list[dict[str, JsonValue]]:
    errors = data.get("errors")
    return [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []


def _unknown_pipe(data: dict[str, JsonValue]) -> bool:
    """The account has no such pipe: what is wrong is in `pipes`, of which all are ours."""
    return any(re.match(r"[$./'\"\[]*pipes\b", str(one.get("path") or "")) for one in _errors(data))


def _out_of_credits(data: dict[str, JsonValue]) -> bool:
    return any(re.search(r"credit|balance", str(one.get("code") or ""), re.IGNORECASE) for one in _errors(data))
