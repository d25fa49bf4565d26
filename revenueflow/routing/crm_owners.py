"""What is asked of the CRM before a lead is routed, and what it says."""

from __future__ import annotations

from pydantic import Field

from revenueflow.domain.base import Value


class CrmOwners(Value):
    """[crm_owners] of routing.toml: whether the CRM is asked who owns the company and its open opportunities.

    `keep_minutes`: for how long an answer serves all leads of the company. `patience_seconds`: for how long a lead
    waits for a CRM that does not answer; then it is routed by what is known.
    """

    ask: bool = True
    keep_minutes: float = Field(15, ge=0, le=1440)
    patience_seconds: float = Field(300, ge=0, le=86_400)


class CompanyOwners(Value):
    """What the CRM says of a company: how many accounts it has, whose they are, and whose its open opportunities.

    Ids of reps, or of the CRM's users that no rep has. `not_understood` are fields of an account that are not what they
    should be. `not_known` is why the CRM did not say now (`breaker_open`, …); `as_of` when it said this, if it was
    before (RFC 3339).
    """

    accounts: int = 0
    owners: tuple[str, ...] = ()
    opportunity_owners: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()
    not_known: str | None = None
    as_of: str | None = None
