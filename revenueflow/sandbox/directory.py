"""The fictional companies of data/companies.json, as each vendor knows them; contacts of the fake HubSpot."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson
import pycountry

from revenueflow.sandbox import views

DATA: Final = Path(__file__).parent / "data"
Facts = dict[str, Any]


class Directory:
    """Companies by domain. A vendor's facts are None where it doesn't know the company."""

    def __init__(self, companies: Iterable[dict[str, Any]] = ()) -> None:
        self._companies = {str(company["domain"]).casefold(): company for company in companies}

    def facts(self, vendor: str, domain: str) -> Facts | None:
        """What `vendor` knows; name and domain are always among it."""
        company = self._companies.get(domain.strip().casefold().removeprefix("www."))
        facts = _view(vendor, company) if company else None
        if company is None or facts is None:
            return None
        return {"name": company.get("name"), **_known(facts), "domain": company["domain"]}

    def all(self) -> Iterable[dict[str, Any]]:
        """Every company, with what is true of it and what each vendor knows."""
        return self._companies.values()

    def person(self, email: str) -> Facts | None:
        """`{given_name, family_name, title, role, level}` of one of a company's `people`, by email."""
        company = self._companies.get(domain_of(email)) or {}
        wanted = email.strip().casefold()
        return next((one for one in company.get("people") or () if one["email"].casefold() == wanted), None)


@cache
def companies() -> Directory:
    """Those of data/companies.json."""
    return Directory(_loaded("companies.json"))


@cache
def contacts() -> dict[str, dict[str, Any]]:
    """Those of data/hubspot_contacts.json, by id."""
    return {str(contact["id"]): contact for contact in _loaded("hubspot_contacts.json")}


def domain_of(email: str) -> str:
    """The part behind the @."""
    return email.rpartition("@")[2].strip().casefold()


def country_of(text: Any) -> tuple[str | None, str | None]:
    """(alpha-2, name) of a code or a name; what isn't known stays as it stands."""
    if not isinstance(text, str) or not text.strip():
        return None, None
    try:
        found = pycountry.countries.lookup(text.strip())
    except LookupError:
        return (text.upper(), None) if len(text) == 2 else (None, text)
    return found.alpha_2, getattr(found, "common_name", found.name)


def _view(vendor: str, company: dict[str, Any]) -> Facts | None:
    truth = company.get("truth")
    if vendor in views.KNOWN and truth:
        return views.view(vendor, str(company["domain"]), truth)
    facts: Facts | None = company.get(vendor)
    return facts


def _known(facts: Facts) -> Facts:
    return {name: value for name, value in facts.items() if value is not None}


def _loaded(name: str) -> list[dict[str, Any]]:
    path = DATA / name
    loaded: list[dict[str, Any]] = orjson.loads(path.read_bytes()) if path.is_file() else []
    return loaded
