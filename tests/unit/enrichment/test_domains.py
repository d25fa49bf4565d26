from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from revenueflow.domain.lead import Lead
from revenueflow.enrichment.domains import NoDomain, company_domain, email_domains, subject_of
from revenueflow.errors import ConfigurationError


@pytest.mark.parametrize(
    ("website", "email", "domain", "source"),
    [
        ("https://www.Acme.co.uk/about?x=1", "ada@gmail.com", "acme.co.uk", "website"),
        ("acme.example:8443", None, "acme.example", "website"),
        ("bücher.example", None, "xn--bcher-kva.example", "website"),
        ("acme.github.io", None, "acme.github.io", "website"),
        (None, "ada@mail.eu.Acme.example", "acme.example", "email"),
        ("  ", "ada@acme.example.", "acme.example", "email"),
        ("n/a", "ada@acme.example", "acme.example", "email"),
        ("http://10.0.0.1/", "ada@acme.example", "acme.example", "email"),
        ("gmail.com", "ada@acme.example", "acme.example", "email"),
        (None, '"a@b"@acme.example', "acme.example", "email"),
    ],
)
def test_the_company_domain_and_where_it_is_from(
    website: str | None, email: str | None, domain: str, source: str
) -> None:
    found = company_domain(website, email)
    assert (found.domain, found.source, found.reason) == (domain, source, None)


@pytest.mark.parametrize(
    "host",
    [
        "gmail.com", "googlemail.com", "outlook.de", "hotmail.co.uk", "yahoo.co.jp", "yahoo.fr", "gmx.at",
        "t-online.de", "orange.fr", "proton.me", "protonmail.ch", "icloud.com", "qq.com", "163.com",
        "web.de", "yandex.com.tr", "live.nl", "GMail.com", "vip.qq.com", "hanmail.net", "uol.com.br",
        "mail.ru", "seznam.cz",
    ],
)  # fmt: skip
def test_mailbox_providers_are_no_company(host: str) -> None:
    found = company_domain(None, f"ada@{host}")
    assert (found.domain, found.reason) == (None, NoDomain.FREE_MAIL)


@pytest.mark.parametrize("host", ["mailinator.com", "sub.mailinator.com", "yopmail.com", "wegwerfmail.de"])
def test_disposable_providers_are_no_company(host: str) -> None:
    found = company_domain(None, f"ada@{host}")
    assert (found.domain, found.reason) == (None, NoDomain.DISPOSABLE)


@pytest.mark.parametrize("host", ["yahoo.acme.example", "gmxparts.example", "outlookfarm.com", "99.com"])
def test_a_company_that_only_looks_like_one_stays(host: str) -> None:
    assert company_domain(None, f"ada@{host}").domain is not None


@pytest.mark.parametrize(
    ("website", "email", "reason"),
    [
        (None, None, NoDomain.MISSING),
        ("", " ", NoDomain.MISSING),
        (None, "no address", NoDomain.INVALID),
        (None, "@acme.example", NoDomain.INVALID),
        (None, "ada@localhost", NoDomain.INVALID),
        (None, "ada@[10.0.0.1]", NoDomain.INVALID),
        (None, "ada@co.uk", NoDomain.INVALID),
        (None, "ada@" + "a." * 400 + "example", NoDomain.INVALID),
        ("http://[::1", None, NoDomain.INVALID),
        ("localhost", "ada@web.de", NoDomain.FREE_MAIL),
    ],
)
def test_why_there_is_none(website: str | None, email: str | None, reason: NoDomain) -> None:
    found = company_domain(website, email)
    assert (found.domain, found.reason) == (None, reason)


def test_an_operator_can_replace_the_table(tmp_path: Path) -> None:
    (tmp_path / "email_domains.toml").write_text(
        'version = 2\nfamilies = []\nfree = ["acme.example"]\n'
        'disposable = ["fly.example"]\ncompany = ["mailinator.com"]\n'
    )
    tables = email_domains(tmp_path)
    hosts = ("acme.example", "fly.example", "mailinator.com", "gmail.com")
    assert [tables.kind(host) for host in hosts] == [NoDomain.FREE_MAIL, NoDomain.DISPOSABLE, None, None]


def test_a_wrong_table_names_file_and_key(tmp_path: Path) -> None:
    (tmp_path / "email_domains.toml").write_text('version = 2\nfamilys = ["x"]\n')
    with pytest.raises(ConfigurationError, match=r"email_domains\.toml.*familys"):
        email_domains(tmp_path)


def test_a_private_address_is_not_sent_to_vendors() -> None:
    lead = Lead(id=uuid4(), email="ada@gmail.com", domain="acme.example", received_at=datetime.now(UTC))
    assert subject_of(lead).email is None
    assert subject_of(lead.model_copy(update={"email": "ada@eu.acme.example"})).email == "ada@eu.acme.example"
    assert subject_of(lead.model_copy(update={"domain": None})).email is None
