"""Tools on the company and the person behind a lead."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import override

from revenueflow.mcp.tools.base import ADDS, READS, Domain, Line, Number, Tool, ToolArgs


class _OfAccount(ToolArgs):
    domain: Domain = Field(description="the company's domain in lower case: leads of one domain share an account")

    @override
    def slot(self) -> str:
        return self.domain

    @override
    def account(self) -> str | None:
        return self.domain


class MatchAccount(_OfAccount):
    """Looks for the account of a company by its domain, and who owns it and its open opportunities. Writes nothing and
    needs no idempotency key."""


class SyncFirmographics(_OfAccount):
    """Sets facts about the company on its account, and makes the account if there is none. Every fact needs a
    supported claim of this lead, named in `claims`."""

    company: Line | None = Field(None, description="the account's name")
    industry: Line | None = None
    headcount: int | Line | None = None
    country: Line | None = None
    revenue: int | Line | None = None
    founded_year: int | None = Field(None, ge=1000, le=2100)
    funding_stage: Line | None = None


class CreateContact(ToolArgs):
    """Creates the contact of a lead's person, below the account of `domain` if that is given. A lead has one."""

    email: Line
    name: Line
    phone: Line | None = None
    title: Line | None = None
    country: Line | None = None
    domain: Domain | None = Field(None, description="the account that the contact belongs to")

    @override
    def account(self) -> str | None:
        return self.domain


class AccountRecord(BaseModel):
    """The account's fields that an agent may read."""

    model_config = ConfigDict(extra="forbid")

    domain: Line | None = None
    company: Line | None = None
    industry: Line | None = None
    headcount: Number | Line | None = None
    country: Line | None = None
    revenue: Number | Line | None = None
    founded_year: Number | None = None
    funding_stage: Line | None = None


class AccountFound(BaseModel):
    """`record` is null if the CRM has no account of this domain, or several and none of them ours. Of all `accounts`:
    who owns them, and who has their open opportunities, what was changed last first; of the fields in `not_understood`
    nothing is known: they are not what they should be."""

    model_config = ConfigDict(extra="forbid")

    found: bool = False
    record: AccountRecord | None = None
    accounts: int = 0
    owner_ids: list[str] = Field(default_factory=list)
    opportunity_owner_ids: list[str] = Field(default_factory=list)
    not_understood: list[str] = Field(default_factory=list)
    reason: str | None = None


TOOLS = (
    Tool("match_account", MatchAccount, "account", READS, shared=True, told=AccountFound, shows=AccountRecord),
    Tool("create_contact", CreateContact, "contact", ADDS, creates=True),
    Tool("sync_firmographics", SyncFirmographics, "account", shared=True),
)
