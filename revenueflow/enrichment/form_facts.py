"""The facts of a form alone, fast: the same as `lead_facts` over the form's evidence, without making any.

Values come again and again in a file of leads: what has been read once is remembered, up to REMEMBERED of a kind.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from revenueflow.domain import locations
from revenueflow.domain.headcounts import people
from revenueflow.domain.lead import DEFAULT_CAMPAIGN, LeadForm
from revenueflow.domain.naics import naics
from revenueflow.domain.scoring import LONGEST_UNREAD, NO_ADDRESS, NO_PLACE, LeadFacts
from revenueflow.domain.text import visible
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.domains import NoDomain, email_domains, host_of_email, host_of_url
from revenueflow.privacy.identity import normalise_email

REMEMBERED = 8192
_READ = ("industry", "headcount", "country")


class FormFacts:
    """Reads forms. One for a file: it remembers what it has read."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        domains = email_domains()

        def industry(text: str) -> str | None:
            return vocabulary.industry(text) or naics().industry(text)

        remembered = lru_cache(REMEMBERED)
        self._industry: Callable[[str], str | None] = remembered(industry)
        self._country: Callable[[str], str | None] = remembered(vocabulary.country)
        self._place: Callable[[str], str | None] = remembered(lambda place: locations.country_in(place, vocabulary))
        self._headcount: Callable[[str], int | None] = remembered(_headcount)
        self._kind: Callable[[str | None], NoDomain | None] = remembered(domains.kind)
        self._domain: Callable[[str | None, str | None], str | None] = remembered(_domain)

    def reach(self, form: LeadForm) -> tuple[bool, NoDomain | None, bool]:
        """What an address and a website come to, whosever they are: given, of which kind, with a company's domain."""
        email = normalise_email(form.email)
        host = host_of_email(email)
        kind = self._kind(host)
        domain = self._domain(host_of_url(form.website) if form.website else None, None if kind else host)
        return email is not None, kind, domain is not None

    def place(self, form: LeadForm) -> tuple[bool, str | None]:
        """What a location comes to, wherever it is: whether there is one, and its country."""
        text = _clean(form.location)
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
        place = _clean(form.location)
        read = {
            "industry": self._industry(given["industry"]) if given["industry"] else None,
            "headcount": self._headcount(given["headcount"]) if given["headcount"] else None,
            "country": (self._country(given["country"]) if given["country"] else None)
            or (self._place(place) if place else None),
        }
        given["country"] = given["country"] or (NO_PLACE if place else None)
        unread = {name: text[:LONGEST_UNREAD] for name, text in given.items() if text and read[name] is None}
        return LeadFacts(
            campaign_id=campaign_id,
            email_given=email is not None,
            phone_given=bool(form.phone),
            name_given=bool(form.name),
            company=_clean(form.company),
            domain=self._domain(host_of_url(form.website), None if kind else host),
            title=_clean(form.title),
            source=_clean(form.source),
            free_mail=kind is NoDomain.FREE_MAIL,
            disposable=kind is NoDomain.DISPOSABLE,
            industry_text=given["industry"],
            bio_given=bool(form.message),
            unread=unread | ({"email": NO_ADDRESS} if email is None and _clean(form.email) else {}),
            **read,
        )


def _clean(text: str | None) -> str | None:
    return visible(text).strip() or None if text else None


def _headcount(text: str) -> int | None:
    found = people(text)
    return int(found.midpoint) if found else None


def _domain(website: str | None, host: str | None) -> str | None:
    found = email_domains().company_domain(website, f"x@{host}" if host else None)
    return found.domain
