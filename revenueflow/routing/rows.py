"""A lead as a row of a file or a JSON object, as routing looks at it. What is not understood is not known, and told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from revenueflow.domain import locations
from revenueflow.domain.headcounts import people
from revenueflow.domain.lead import DEFAULT_CAMPAIGN, Tier
from revenueflow.domain.naics import naics
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.routing import places
from revenueflow.routing.conditions import Subject
from revenueflow.routing.selection import Situation

EARLIEST, LATEST = 2000, 2100
"""Years in which a lead can come."""
NAMES = {
    "country": ("country", "country_code", "land"),
    "state": ("state", "region", "province", "state_code"),
    "postcode": ("postcode", "postal_code", "zip", "zip_code", "plz"),
    "location": ("location", "city", "address"),
    "headcount": ("company_size", "headcount", "employees", "number_of_employees", "size", "employee_count"),
    "industry": ("industry", "sector", "branche"),
    "company": ("company", "company_name", "organization", "account_name"),
    "domain": ("domain", "company_domain", "website"),
    "email": ("email", "work_email"),
    "language": ("language", "lang"),
    "time_zone": ("time_zone", "timezone", "tz"),
    "tier": ("tier",),
    "campaign": ("campaign_id", "campaign", "offer"),
    "received_at": ("received_at", "created_at", "now", "date"),
    "opportunity_owner": ("opportunity_owner", "existing_opportunity_owner"),
    "account_owner": ("account_owner", "existing_owner"),
    "open_leads": ("open_leads",),
    "id": ("lead_id", "id"),
    "expected_owner": ("expected_owner",),
    "decidable": ("decidable", "rule_decidable"),
}
"""Our names, and those of columns."""


class Row(NamedTuple):
    """A lead to route. `expected`: its label, `decidable`: by the rules alone; `unclear`: what was not understood."""

    id: str
    subject: Subject
    situation: Situation
    expected: str | None
    decidable: bool
    unclear: tuple[str, ...]


def read(given: Mapping[str, Any], vocabulary: Vocabulary, domain: str | None, number: int = 1) -> Row:
    """A row. `domain` is that of the company; a row without a time is routed at no time: hours are not asked."""
    row = _named(given)
    country = locations.country(row.get("country"), row.get("location"), vocabulary)
    state, code = places.told(row.get("state"), row.get("postcode"), row.get("location"), country)
    headcount, at = _headcount(row.get("headcount")), _time(row.get("received_at"))
    industry = vocabulary.industry(row.get("industry")) or naics().industry(row.get("industry"))
    lead = Subject(
        country, headcount, industry, _tier(row.get("tier")), state, code, domain, row.get("company"),
        places.language(row.get("language")), row.get("time_zone"), row.get("campaign") or DEFAULT_CAMPAIGN,
    )  # fmt: skip
    situation = Situation(
        at, row.get("opportunity_owner"), row.get("account_owner"), open_leads=_counts(row.get("open_leads"))
    )
    read = {
        "country": country, "state": state, "postcode": code, "headcount": headcount, "industry": industry,
        "tier": _is_tier(row.get("tier")) or None, "received_at": at,
    }  # fmt: skip
    given = row | {"country": row.get("country") or row.get("location", "")}
    unclear = tuple(name for name, value in read.items() if value is None and given.get(name))
    decidable = (row.get("decidable") or "yes").casefold() in ("yes", "true", "1", "y")
    lead = lead._replace(unclear=frozenset(unclear))
    return Row(row.get("id") or str(number), lead, situation, row.get("expected_owner"), decidable, unclear)


def strange(given: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys that routing does not look at, as they are given; what is a list or an object under a known key too."""
    known = {name for names in NAMES.values() for name in names}
    return tuple(str(key) for key, value in given.items() if _plain(key) not in known or isinstance(value, dict | list))


def columns(given: Mapping[str, Any]) -> Mapping[str, str]:
    """What is given, under our names."""
    return _named(given)


def _named(given: Mapping[str, Any]) -> dict[str, str]:
    plain = {
        _plain(key): str(value).strip()
        for key, value in given.items()
        if value is not None and not isinstance(value, dict | list)
    }
    found = {name: next((plain[one] for one in known if plain.get(one)), "") for name, known in NAMES.items()}
    return {name: value for name, value in found.items() if value}


def _plain(key: object) -> str:
    return str(key).strip().casefold().replace(" ", "_").replace("-", "_")


def _headcount(value: str | None) -> int | None:
    found = people(value)
    return int(found.midpoint) if found else None


def _tier(value: str | None) -> Tier:
    return Tier(value.casefold()) if value and _is_tier(value) else Tier.COLD


def _is_tier(value: str | None) -> bool:
    return value is not None and value.casefold() in set(Tier)


def _time(value: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if value else None
    except ValueError:
        return None
    if found is None or not EARLIEST <= found.year <= LATEST:
        return None
    return found.replace(tzinfo=found.tzinfo or UTC)


def _counts(value: str | None) -> dict[str, int]:
    pairs = (one.partition("=") for one in (value or "").split())
    return {rep: int(count) for rep, _, count in pairs if count.isdecimal()}
