"""The company's domain: from the website, else from the email, never one of a mailbox provider.

Registrable domains by the Public Suffix List, its private part included: a page under a hosting firm's
name is not that firm. In the ASCII form of IDNA 2008 (UTS 46). Tables: defaults/email_domains.toml, and the
list of the package disposable-email-domains.
"""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from functools import cache, cached_property, lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import idna
from disposable_email_domains import blocklist
from publicsuffixlist import PublicSuffixList

from revenueflow import defaults
from revenueflow.domain.base import Value
from revenueflow.domain.lead import Lead
from revenueflow.enrichment.base import Subject

LONGEST_HOST = 253


class NoDomain(StrEnum):
    """Why a lead has no company domain."""

    FREE_MAIL = "free_mail"
    DISPOSABLE = "disposable"
    MISSING = "missing"
    INVALID = "invalid"


class CompanyDomain(Value):
    """A registrable domain and the field that it is from ("website" or "email"), or why there is none."""

    domain: str | None = None
    source: str | None = None
    reason: NoDomain | None = None


class EmailDomains(Value):
    """The tables. `families` are labels that count under every public suffix (yahoo.de, yahoo.co.jp)."""

    version: int
    families: frozenset[str]
    free: frozenset[str]
    disposable: frozenset[str]
    company: frozenset[str]

    def kind(self, host: str | None) -> NoDomain | None:
        """FREE_MAIL or DISPOSABLE for the host of an email address, None for what may be a company's."""
        name = ascii_host(host or "")
        if name is None:
            return None
        names = _with_parents(name)
        if names & self.company:
            return None
        if names & self.free or (registrable(name) or "").partition(".")[0] in self.families:
            return NoDomain.FREE_MAIL
        return NoDomain.DISPOSABLE if names & self._all_disposable else None

    def company_domain(self, website: str | None, email: str | None) -> CompanyDomain:
        """The domain of `website` (a URL or a host), else that of `email`, else why there is none."""
        first = self._from(host_of_url(website), "website", given=website)
        if first.domain:
            return first
        second = self._from(host_of_email(email), "email", given=email)
        return second if second.domain or second.reason is not NoDomain.MISSING else first

    def _from(self, host: str | None, source: str, *, given: str | None) -> CompanyDomain:
        if not (given or "").strip():
            return CompanyDomain(reason=NoDomain.MISSING)
        domain = registrable(host) if host else None
        if domain is None:
            return CompanyDomain(reason=NoDomain.INVALID)
        reason = self.kind(host)
        return CompanyDomain(reason=reason) if reason else CompanyDomain(domain=domain, source=source)

    @cached_property
    def _all_disposable(self) -> frozenset[str]:
        return self.disposable | frozenset(blocklist)


@cache
def email_domains(config_dir: Path | None = None) -> EmailDomains:
    """The tables in email_domains.toml, ours or the one that overrides it. Raises ConfigurationError."""
    return defaults.load(EmailDomains, "email_domains.toml", config_dir)


def company_domain(website: str | None, email: str | None, tables: EmailDomains | None = None) -> CompanyDomain:
    """`EmailDomains.company_domain` with the default tables, unless others are given."""
    return (tables or email_domains()).company_domain(website, email)


def subject_of(lead: Lead) -> Subject:
    """Whom to ask about for a lead. The email goes along only if it is at the company's domain."""
    host = host_of_email(lead.email)
    at_domain = host is not None and lead.domain is not None and registrable(host) == lead.domain
    return Subject(lead_id=lead.id, email=lead.email if at_domain else None, domain=lead.domain, company=lead.company)


def host_of_url(url: str | None) -> str | None:
    """The host of a URL, also of one without a scheme ("acme.example/about"); None if there is none."""
    text = (url or "").strip()
    try:
        return urlsplit(text if "://" in text else f"//{text}").hostname
    except ValueError:
        return None


def host_of_email(email: str | None) -> str | None:
    """What stands after the last @; None if there is no @ or nothing before it."""
    local, _, host = (email or "").strip().rpartition("@")
    return host or None if local else None


def registrable(host: str) -> str | None:
    """The part of a host name that one registers ("acme.co.uk" of "shop.acme.co.uk"), or None."""
    name = ascii_host(host)
    if name is None or "." not in name:
        return None
    return _suffixes().privatesuffix(name)


def ascii_host(host: str) -> str | None:
    """A host name in lower case and ASCII (xn--bcher-kva.example for bücher.example); else None."""
    name = host.strip().rstrip(".")
    return _ascii(name) if len(name) <= LONGEST_HOST else None


@lru_cache(maxsize=4096)
def _ascii(name: str) -> str | None:
    if _is_address(name):
        return None
    try:
        return idna.encode(name, uts46=True, std3_rules=True).decode("ascii")
    except idna.IDNAError:
        return None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def _with_parents(name: str) -> frozenset[str]:
    """The name, and all above it that have a dot: what is under a listed name is meant too."""
    labels = name.split(".")
    return frozenset(".".join(labels[start:]) for start in range(len(labels) - 1))
