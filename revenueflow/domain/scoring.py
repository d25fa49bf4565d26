"""A score with its points, and an owner with the rule: what a salesperson is shown."""

from __future__ import annotations

from pydantic import Field, JsonValue

from revenueflow.domain.base import Value
from revenueflow.domain.lead import Intent, Tier


class LeadFacts(Value):
    """What scoring and routing may look at, all normalised, all from the form or from evidence.

    `evidence` maps a fact's name to the ids (as text) of the evidence that it was taken from, `why` to what decided
    between several.
    """

    campaign_id: str
    email_given: bool = False
    phone_given: bool = False
    name_given: bool = False
    company: str | None = None
    domain: str | None = None
    title: str | None = None
    industry: str | None = None
    headcount: int | None = None
    country: str | None = None
    source: str | None = None
    free_mail: bool = False
    disposable: bool = False
    evidence: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    why: dict[str, str] = Field(default_factory=dict)


class Factor(Value):
    """One line of the score: `points` of at most `maximum`, from `input`, because `reason`."""

    name: str
    points: int
    maximum: int
    input: JsonValue = None
    evidence: tuple[str, ...] = ()
    reason: str = ""


class Score(Value):
    """0-100, the sum of its factors; `profile` is name@version."""

    total: int
    tier: Tier
    intent: Intent
    fit: int
    profile: str
    factors: tuple[Factor, ...]


class Candidate(Value):
    """A rep that was looked at, and why not (empty if chosen)."""

    rep_id: str
    chosen: bool
    reason: str


class Routing(Value):
    """Who owns the lead: the rule that decided, in words (`reason`), and every rule that was tried (`path`).

    `queued`: why it is in the default queue, `no_rule` or `nobody`; None if it is not.
    """

    owner_id: str
    owner_name: str
    rule: str
    reason: str
    path: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    policy_version: str = ""
    queued: str | None = None
