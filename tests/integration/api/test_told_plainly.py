"""What is wrong with a request is told in plain words, by every route: no validator's jargon, no value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.support.api import Api

SECRET = "s3cr3t"
WRONG: tuple[Any, ...] = (SECRET, -1, 10**12, [], [SECRET], {}, {SECRET: SECRET}, None, True, 1.5, "2026-01-01", "")
JARGON = re.compile(
    "Value error|Assertion failed|Extra inputs|Field required|Input tag|Unable to extract|urn:uuid|pydantic|type="
)
PICKED: dict[str, list[Any]] = {
    "scoreLeads": [{"scope": "campaign"}, {"scope": "all", "campaign_id": "x"}, {"offer_id": SECRET}],
    "recordOutcome": [
        {"outcome": "won", "at": "2026-11-20T10:00:00Z", "value_minor": 1},
        {"outcome": "touched", "at": "2026-11-20T10:00:00Z", "value_minor": 1, "currency": "EUR"},
        {"outcome": "won", "at": "2026-11-20", "value_minor": 1, "currency": SECRET},
    ],
    "decideReview": [{"decision": "edit", "reason": "x"}, {"decision": "reject"}, {"decision": SECRET}],
    "decideApproval": [{"decision": "reject"}, {"decision": SECRET, "reason": SECRET}],
    "replayDeadLetters": [{}, {"jobs": [SECRET]}, {"jobs": [], "since": "2026-11-20T10:00:00Z"}],
    "simulateRouting": [{"rules": {"version": "1", "territories": [{"name": SECRET, "countries": [SECRET]}]}}],
    "backtestProfile": [{"profile_toml": 'kind = "s3cr3t"'}, {"profile_toml": '[[factors]]\nkind = "s3cr3t"'}],
    "createLead": [{"email": SECRET}],
}


def operations(api: Api) -> Iterator[tuple[str, str, dict[str, Any]]]:
    document = api.client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        if path.startswith("/v1/"):
            yield from ((path, method, operation) for method, operation in methods.items())


def bodies(operation: dict[str, Any]) -> Iterator[Any]:
    """Each wrong value alone, in all of the names that the body has, and under a name that it has not."""
    schema = operation["requestBody"]["content"].get("application/json", {}).get("schema", {})
    names = list(schema.get("properties", {})) or ["rules", "rules_toml", "days", "labels", "reps", "moves", "email"]
    for wrong in WRONG:
        yield wrong
        yield dict.fromkeys(names, wrong)
        yield {"other": wrong}
    yield from PICKED.get(operation["operationId"], ())


def asked(api: Api, path: str, method: str, operation: dict[str, Any]) -> Iterator[Any]:
    """The answers to requests that are wrong in one way each."""
    headers = api.as_role("admin")
    good = re.sub(r"\{[^}]*\}", str(uuid4()), path)
    if "{" in path:
        yield api.client.request(method, re.sub(r"\{[^}]*\}", SECRET, path), headers=headers)
    for one in operation.get("parameters", ()):
        if one["in"] == "query":
            for wrong in (SECRET, "-1", "", "x" * 600, "\x00", "99999999999999999999"):
                yield api.client.request(method, good, params={one["name"]: wrong}, headers=headers)
    for body in bodies(operation) if "requestBody" in operation else ():
        yield api.client.request(method, good, json=body, headers=headers)


def test_every_route_tells_it_plainly(shared_api: Api) -> None:
    refused: set[str] = set()
    for path, method, operation in operations(shared_api):
        for answer in asked(shared_api, path, method, operation):
            assert answer.status_code < 500, (operation["operationId"], answer.text)
            if answer.status_code in (400, 409, 422):
                told = answer.json()
                said = [told["detail"], *(fault["detail"] for fault in told["errors"])]
                assert not [one for one in said if JARGON.search(one)], (operation["operationId"], said)
                assert not [one for one in said if SECRET in one], (operation["operationId"], said)
                refused.add(operation["operationId"])
    assert set(PICKED) <= refused, "each of them has refused something"


@pytest.mark.parametrize("jargon", ["Value error, x", "Input tag 's3cr3t' found using 'kind' does not match"])
def test_what_would_be_found(jargon: str) -> None:
    assert JARGON.search(jargon)
