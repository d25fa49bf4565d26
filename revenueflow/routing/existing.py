"""Who has to do with a lead or its company already: that comes before every other rule. Pure.

Whom the lead was given to; the owner of an open opportunity, and of the account, as the CRM says; the owner of the
company's last lead. Each also when full or after hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from revenueflow.routing.crm_owners import CompanyOwners
from revenueflow.routing.reps import Rep
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.selection import Sieve

MOVED = "moved"
"""What `leads.routing_rule` begins with after somebody was given a lead: routing it again leaves it there."""
_REASONS = {
    MOVED: "the lead was given to its owner",
    "opportunity": "an open opportunity has an owner",
    "account": "the account has an owner",
    "company": "an earlier lead of the company has an owner",
}


class Existing(NamedTuple):
    """Found: the rule's name, the reason, and who gets the lead."""

    rule: str
    reason: str
    rep: Rep


def opportunity_owner(rules: RoutingRules, company: CompanyOwners) -> str | None:
    """Of several the one whose opportunity was changed last and who is a rep of ours."""
    return next(iter(_reps(rules, company.opportunity_owners)), next(iter(company.opportunity_owners), None))


def account_owner(rules: RoutingRules, company: CompanyOwners) -> str | None:
    """None if several accounts have different reps."""
    known = _reps(rules, company.owners)
    return known[0] if len(known) == 1 else None if known else next(iter(company.owners), None)


def _reps(rules: RoutingRules, ids: Sequence[str]) -> list[str]:
    return [one for one in ids if one in rules.by_id and one != rules.default_owner]


def remark(rules: RoutingRules, company: CompanyOwners) -> str | None:
    """What the path says of the CRM besides names."""
    if company.not_known:
        older = f"; it answered at {company.as_of}" if company.as_of else ""
        return f"the CRM was not asked: {company.not_known}{older}"
    if company.not_understood:
        return f"not understood of the account in the CRM: {', '.join(company.not_understood)}"
    if company.owners and account_owner(rules, company) is None:
        return f"{company.accounts} accounts of the domain have different owners: {', '.join(company.owners)}"
    return None


def existing(sieve: Sieve) -> Existing | None:
    """The first of them who can take the lead; why the others can't is in the path."""
    known = sieve.situation
    owners = [(MOVED, known.moved_to)]
    if sieve.rules.existing_owner:
        owners += [
            ("opportunity", known.opportunity_owner),
            ("account", known.account_owner),
            ("company", known.company_owner),
        ]
        if known.remark:
            sieve.path.append(f"existing:account: no, {known.remark}")
    for kind, owner in owners:
        if owner is None:
            continue
        if owner == sieve.rules.default_owner:
            if kind != MOVED:
                sieve.path.append(f"existing:{kind}: no, {owner} is the default queue")
            continue
        if able := sieve.able([owner], any_load=True):
            rep = able[0]
            cover = "" if rep.id == owner else f", {owner}, for whom {rep.id} stands in"
            return Existing(f"existing:{kind}", f"{_REASONS[kind]}{cover}", rep)
        sieve.path.append(f"existing:{kind}: no, {owner}: {sieve.why_not[owner]}")
    return None
