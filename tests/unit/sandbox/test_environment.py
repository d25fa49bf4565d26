"""What the processes of `revenueflow up` are told."""

from __future__ import annotations

from collections import defaultdict

import pytest

from revenueflow.devserver import environment


@pytest.mark.parametrize(("given", "told"), [(None, "0"), ("", "0"), ("30", "30")])
def test_the_sandbox_has_no_quota_but_one_that_the_caller_sets(
    monkeypatch: pytest.MonkeyPatch, given: str | None, told: str
) -> None:
    monkeypatch.delenv("CRM_REQUESTS_PER_MINUTE", raising=False)
    if given is not None:
        monkeypatch.setenv("CRM_REQUESTS_PER_MINUTE", given)
    monkeypatch.setenv("CRM_TOKEN", "of a production CRM")
    env = environment.of_sandbox(defaultdict(lambda: "http://127.0.0.1:1"))
    assert (env["CRM_REQUESTS_PER_MINUTE"], env["CRM_TOKEN"]) == (told, environment.KEY)
