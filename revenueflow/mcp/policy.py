"""defaults/policy.toml: what may be written, by whom, how often, and what a person must approve first."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal, Self

import orjson
from pydantic import Field, model_validator

from revenueflow import defaults
from revenueflow.domain.base import Value

EVERY = "*"
Pointer = Annotated[str, Field(pattern=r"^/[a-z0-9_]+$", description="an argument, as a JSON Pointer")]
RoleName = Literal["pipeline", "operator", "admin", "agent"]


class Limits(Value):
    """Calls in any `window_seconds`. A full limit delays; it drops nothing."""

    per_lead: int = Field(10, ge=1, description="tool calls for one lead, whoever makes them")
    per_caller: int = Field(100, ge=1, description="tool calls of one agent or API key; the pipeline has no such limit")
    per_crm: int = Field(1000, ge=0, description="requests to the CRM, of all processes together; 0: no limit")
    window_seconds: float = Field(60, gt=0, le=3600)


class BreakerRule(Value):
    """When the CRM is left alone."""

    failures: int = Field(5, ge=1, description="failures in a row that open it")
    pause_seconds: float = Field(30, gt=0, le=3600, description="until one process may try again")


class ApprovalRule(Value):
    """Calls that a person must approve. All that is given must fit; the first rule that fits counts."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    tools: tuple[str, ...] = Field((), description="none: all")
    roles: tuple[RoleName, ...] = Field((), description="whose calls; none: all")
    above: dict[Pointer, int] = Field(default_factory=dict, description="an argument is greater than this")
    outside_campaign: bool = Field(False, description="the lead is in no campaign of this agent")
    approver: Literal["operator", "admin"] = Field("operator", description="the least role that may approve")
    by_client: bool = Field(False, description="the person at an attended client may approve too")

    @model_validator(mode="after")
    def _asks_one_or_the_other(self) -> Self:
        if self.by_client and self.approver == "admin":
            raise ValueError("by_client lets whoever sits at the client approve: it can't go with approver = admin")
        return self


class ApprovalRules(Value):
    """What a person must approve, and how long they have for it."""

    expire_hours: float = Field(24, gt=0, le=24 * 30)
    rules: tuple[ApprovalRule, ...] = ()


class AgentRule(Value):
    """What an agent is for."""

    campaigns: tuple[str, ...] = Field((), description="its campaigns; * for all")
    attended: bool = Field(False, description="a person sits at this client and answers what it asks")


class Transitions(Value):
    """Which value may follow which: `start` where there is none yet, then by the current one. No other is allowed."""

    start: list[str]
    next: dict[str, list[str]]

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if not {*self.start, *(value for values in self.next.values() for value in values)} <= self.next.keys():
            raise ValueError("every value that is named must have a line in next, which may be empty")
        return self


class Policy(Value):
    """The policy. `roles`: role -> tools. `grounded`: tool -> JSON Pointers that need a supported claim.

    `fields`: role -> tool -> the only arguments that it may give. `agents`: the name of an API key -> its campaigns.
    """

    version: str
    kill_switch: bool = False
    read_only: bool = False
    dry_run: bool = False
    roles: dict[str, list[str]]
    fields: dict[RoleName, dict[str, tuple[Pointer, ...]]] = Field(default_factory=dict)
    grounded: dict[str, list[str]] = Field(default_factory=dict)
    lead_status: Transitions
    opportunity_stage: Transitions
    limits: Limits = Limits()
    breaker: BreakerRule = BreakerRule()
    approvals: ApprovalRules = ApprovalRules()
    agents: dict[str, AgentRule] = Field(default_factory=dict)

    @property
    def writes_are_on(self) -> bool:
        """False while anything keeps every write from being made."""
        return not (self.kill_switch or self.read_only or self.dry_run)

    @cached_property
    def sha256(self) -> str:
        """What the audit trail calls this version of the policy: a hash of what it says, however it is written."""
        return sha256(orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)).hexdigest()

    def covers(self, agent: str, campaign: str | None) -> bool:
        """Whether a campaign is one of the agent's; a lead that is in none is for agents that have them all."""
        own = self.agents[agent].campaigns if agent in self.agents else ()
        return EVERY in own or campaign in own

    def is_attended(self, agent: str) -> bool:
        """Whether somebody said that a person sits there: that a client can ask proves nobody."""
        return agent in self.agents and self.agents[agent].attended

    def client_may_approve(self, rule: str) -> bool:
        """Whether every rule of this name, and there is one, lets the person at an attended client approve."""
        named = [one.by_client for one in self.approvals.rules if one.name == rule]
        return bool(named) and all(named)


def load(config_dir: Path | None = None) -> Policy:
    """Reads the policy. Raises ConfigurationError with file and key path."""
    return defaults.load(Policy, "policy.toml", config_dir)
