"""A score with its points, and an owner with the rule: what a salesperson is shown."""

from __future__ import annotations

from pydantic import Field, JsonValue

from revenueflow.domain.base import Value
from revenueflow.domain.lead import Intent, Tier

LONGEST_TEXT = 300
"""Characters of a fact that is still one: nobody's title is longer."""
LONGEST_UNREAD = 120
NO_ADDRESS = "what was given as the email"
NO_PHONE = "what was given as the phone"
NO_NAME = "what was given as the name"
NO_PLACE = "what was given as the location"
"""Instead of what nobody could read: it is somebody's all the same, and a place may be a street."""


class LeadFacts(Value):
    """What scoring and routing may look at, all normalised, all from the form or from evidence.

    `evidence` maps a fact's name to the ids (as text) of the evidence that it was taken from, `why` to what decided
    between several. `industry_text` is the industry as it was written; `unread` are facts that were given and that
    nobody understood, as they were written (at most LONGEST_UNREAD characters; of an email, a phone and a name only
    NO_ADDRESS, NO_PHONE, NO_NAME, and NO_PLACE of a country for which only the location was given). `engagement` counts
    what the person did, by kind; `age_days` is how long ago the lead came in.
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
    industry_text: str | None = None
    bio_given: bool = False
    age_days: int | None = None
    engagement: dict[str, int] = Field(default_factory=dict)
    unread: dict[str, str] = Field(default_factory=dict)
    evidence: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    why: dict[str, str] = Field(default_factory=dict)


class Factor(Value):
    """One line of the score: `points` of at most `maximum`, from `input`, because `reason`.

    `missing` names the facts that were not known, `not_understood` those that were given and that nobody could read.
    """

    name: str
    points: int
    maximum: int
    input: JsonValue = None
    evidence: tuple[str, ...] = ()
    reason: str = ""
    missing: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()


class Score(Value):
    """0-100, the sum of its factors; `profile` is name@version.

    `missing` and `not_understood` are those of its factors, and what nobody could read though no factor looks at it.
    """

    total: int
    tier: Tier
    intent: Intent
    fit: int
    profile: str
    factors: tuple[Factor, ...]
    missing: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()


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
