"""The facts of a form alone, fast: the same as `lead_facts` over the form's evidence, without making any.

Values come again and again in a file of leads: what has been read once is remembered, up to REMEMBERED of a kind.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from revenueflow.domain import locations
from revenueflow.domain.headcounts import people
from revenueflow.domain.lead import DEFAULT_CAMPAIGN, LeadForm
from revenueflow.domain.naics import naics
from revenueflow.domain.scoring import LONGEST_TEXT, LONGEST_UNREAD, NO_PLACE, LeadFacts
from revenueflow.domain.text import visible
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.contact import Contact, contact, has_letter
from revenueflow.enrichment.domains import NoDomain, email_domains, host_of_email, host_of_url
from revenueflow.privacy.identity import normalise_email

REMEMBERED = 8192
_READ = ("industry", "headcount", "country")


class FormFacts:
    """Reads forms. One for a file: it remembers what it has read."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        domains = email_domains()
        self._says_nothing = vocabulary.says_nothing

        def industry(text: str) -> str | None:
            return vocabulary.industry(text) or naics().industry(text)

        remembered = lru_cache(REMEMBERED)
        self._industry: Callable[[str], str | None] = remembered(industry)
        self._country: Callable[[str], str | None] = remembered(vocabulary.country)
        self._place: Callable[[str], str | None] = remembered(lambda place: locations.country_in(place, vocabulary))
        self._headcount: Callable[[str], int | None] = remembered(_headcount)
        self._kind: Callable[[str | None], NoDomain | None] = remembered(domains.kind)
        self._domain: Callable[[str | None, str | None], str | None] = remembered(_domain)

    def impersonal(self, form: LeadForm) -> tuple[object, ...]:
        """All that facts and scores can depend on, but whose name it is, at which company and address, in which words.

        Forms that agree in this have one score by every profile that reads no names: see `of`.
        """
        email = normalise_email(form.email)
        host = host_of_email(email)
        kind = self._kind(host)
        domain = self._domain(host_of_url(form.website) if form.website else None, None if kind else host)
        reached = *self._contact(form, email), kind, domain is not None, self._told(form.message) is not None
        company = _shape(self._told(form.company))
        read = form.title, form.industry, form.headcount, form.country, *self.place(form), form.source
        return (*read, company, *reached)

    def place(self, form: LeadForm) -> tuple[bool, str | None]:
        """What a location comes to, wherever it is: whether there is one, and its country."""
        text = self._told(form.location)
        return text is not None, self._place(text) if text else None

    def company_domain(self, form: LeadForm) -> str | None:
        """The domain of the company, from the website or the address; None for one of a mail provider."""
        host = host_of_email(normalise_email(form.email))
        return self._domain(host_of_url(form.website), None if self._kind(host) else host)

    def of(self, form: LeadForm, campaign_id: str = DEFAULT_CAMPAIGN) -> LeadFacts:
        """The facts that a form tells."""
        email = normalise_email(form.email)
        host = host_of_email(email)
        kind = self._kind(host)
        given = {name: _clean(getattr(form, name)) for name in _READ}
        title, place = self._told(form.title), self._told(form.location)
        read: dict[str, Any] = {
            "industry": self._industry(given["industry"]) if given["industry"] else None,
            "headcount": self._headcount(given["headcount"]) if given["headcount"] else None,
            "country": (self._country(given["country"]) if given["country"] else None)
            or (self._place(place) if place else None),
        }
        told = {name: text for name, text in given.items() if text and (read[name] or not self._says_nothing(text))}
        unread = {name: text[:LONGEST_UNREAD] for name, text in told.items() if read[name] is None}
        if place and "country" not in told and read["country"] is None:
            unread["country"] = NO_PLACE
        if title and not has_letter(title):
            unread, title = {"title": title[:LONGEST_UNREAD]} | unread, None
        known = self._contact(form, email)
        return LeadFacts(
            campaign_id=campaign_id,
            email_given=known.email is True,
            phone_given=known.phone is True,
            name_given=known.name is True,
            company=self._told(form.company),
            domain=self._domain(host_of_url(form.website), None if kind else host),
            title=title,
            source=self._told(form.source),
            free_mail=kind is NoDomain.FREE_MAIL,
            disposable=kind is NoDomain.DISPOSABLE,
            industry_text=told.get("industry"),
            bio_given=self._told(form.message) is not None,
            unread=unread | known.unread,
            **read,
        )

    def _told(self, text: str | None) -> str | None:
        """A text as it can be seen; None if it says nothing."""
        shown = _clean(text)
        return None if shown is None or self._says_nothing(shown) else shown

    def _contact(self, form: LeadForm, email: str | None) -> Contact:
        told = self._told
        written = email or told(form.email)
        return contact(email=email, written=written, phone=told(form.phone), name=told(form.name))


def _clean(text: str | None) -> str | None:
    return visible(text).strip() or None if text else None


def _shape(text: str | None) -> bool | None:
    """None if there is none; False if it is too long to be read, and True if it can be."""
    return None if text is None else len(text) <= LONGEST_TEXT


def _headcount(text: str) -> int | None:
    found = people(text)
    return int(found.midpoint) if found else None


def _domain(website: str | None, host: str | None) -> str | None:
    found = email_domains().company_domain(website, f"x@{host}" if host else None)
    return found.domain
