"""Who may approve at a client, by the policy; and what a question looks like."""

from __future__ import annotations

from uuid import UUID

import pytest
from pydantic import ValidationError

from revenueflow.mcp import policy
from revenueflow.mcp.attended import asked, plain
from revenueflow.mcp.policy import AgentRule, ApprovalRule, ApprovalRules

LEAD = UUID(int=7)


def test_the_default_policy_leaves_what_weighs_to_the_queue() -> None:
    ours = policy.load()
    may = {rule.name: ours.client_may_approve(rule.name) for rule in ours.approvals.rules}
    assert may == {"convert_lead": False, "large_opportunity": False, "contact": True, "outside_campaign": True}
    assert not ours.is_attended("anybody")


def test_of_two_rules_with_one_name_the_strict_one_counts() -> None:
    rules = ApprovalRules(rules=(ApprovalRule(name="x", by_client=True), ApprovalRule(name="x")))
    ours = policy.load().model_copy(update={"approvals": rules, "agents": {"a": AgentRule(attended=True)}})
    assert not ours.client_may_approve("x")
    assert not ours.client_may_approve("none of this name")
    assert ours.is_attended("a")
    assert not ours.is_attended("b")


def test_a_rule_asks_an_admin_or_the_client_and_not_both() -> None:
    with pytest.raises(ValidationError):
        ApprovalRule(name="x", approver="admin", by_client=True)


def test_a_question_has_one_line_for_each_field() -> None:
    found = {"tool": "assign_owner", "rule": "outside_campaign", "lead_id": LEAD, "args": {}}
    assert asked(found, {"b": 1, "a": "x\ny"}).splitlines()[1:] == [
        f"Lead: {LEAD}",
        "It would write:",
        '- a: "x\\ny"',
        "- b: 1",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Zoë Müller 王", '"Zoë Müller 王"'),
        ("a\u202eb", '"a\\u202eb"'),
        ("a\\u202eb", '"a\\\\u202eb"'),  # what was written out is told from what was hidden
        ("\x7f\x85\u00a0\u200d\ud800\U000e0041", '"\\x7f\\x85\\xa0\\u200d\\ud800\\U000e0041"'),
        ({"k\u2028": [None, True, 1.5]}, '{"k\\u2028": [null, true, 1.5]}'),
    ],
)
def test_what_cannot_be_seen_is_spelled_out(value: object, shown: str) -> None:
    assert plain(value) == shown
