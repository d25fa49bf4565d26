"""HTTP requests with leads of about 600 bytes, all distinct, made ahead of time up to the part that differs."""

from __future__ import annotations

import hmac
import secrets
import time
from base64 import b64decode, b64encode
from hashlib import sha256
from itertools import product
from typing import NamedTuple

import orjson

from revenueflow.bench.plan import Source, Target

MARK = b"0123456789abcd"
"""Stands in a template for what makes a lead distinct: 6 digits for the run, 8 for the lead."""
PEOPLE = (
    ("Terrence", "Ashby", "Chief Financial Officer"),
    ("Odessa", "Kramer", "VP Operations"),
    ("Dana", "Reyes", "Head of Revenue Operations"),
    ("Milo", "Sandoval", "Director of Marketing"),
    ("Ingrid", "Falk", "Chief Technology Officer"),
    ("Priya", "Venkat", "Procurement Manager"),
)
COMPANIES = (
    ("Larkvale Systems", "larkvale-systems.example", "United States"),
    ("Quillmere", "quillmere.example", "United States"),
    ("Brackenford Tools", "brackenford-tools.example", "United Kingdom"),
    ("Ostwind Logistik", "ostwind-logistik.example", "Germany"),
)
MESSAGES = (
    "We compare three vendors and need a quote for 40 seats. Please send pricing and propose two dates for a demo.",
    "A colleague recommended you. How does the integration with our CRM work, and where do you host our data?",
)


class _Template(NamedTuple):
    body: bytes
    before: bytes
    after: bytes


class Requests:
    """Makes the n-th request of a run; those of two runs differ too."""

    def __init__(self, target: Target, campaign: str) -> None:
        self._target = target
        self._run = secrets.token_hex(3).encode()
        parts = product(PEOPLE, COMPANIES, MESSAGES)
        self._templates = [_template(target, _body(*each, campaign)) for each in parts]
        self._make = {Source.MARKETO: self._plain, Source.LEAD: self._signed}[target.source]
        self._key = b64decode(target.secret.removeprefix("whsec_")) if target.source is Source.LEAD else b""

    def __call__(self, number: int) -> bytes:
        """Head and body, ready for the socket."""
        return self._make(self._templates[number % len(self._templates)], b"%b%08x" % (self._run, number))

    def _plain(self, template: _Template, distinct: bytes) -> bytes:
        return template.before + distinct + template.after

    def _signed(self, template: _Template, distinct: bytes) -> bytes:
        body, stamp = template.body.replace(MARK, distinct), b"%d" % time.time()
        signature = b64encode(hmac.digest(self._key, b"msg_%b.%b.%b" % (distinct, stamp, body), sha256))
        proof = b"webhook-id: msg_%b\r\nwebhook-timestamp: %b\r\nwebhook-signature: v1,%b\r\n\r\n"
        return template.before + proof % (distinct, stamp, signature) + body


def _body(person: tuple[str, str, str], company: tuple[str, str, str], message: str, campaign: str) -> bytes:
    (first, last, title), (name, domain, country) = person, company
    return orjson.dumps(
        {
            "email": f"{first.lower()}.{last.lower()}.{MARK.decode()}@{domain}",
            "firstName": first,
            "lastName": last,
            "jobTitle": title,
            "company": name,
            "website": f"https://www.{domain}",
            "country": country,
            "phone": "+1 512 555 0143",
            "numberOfEmployees": "201-500",
            "leadSource": "Webinar",
            "campaign": campaign,
            "utm_medium": "email",
            "utm_source": "newsletter",
            "utm_content": "autumn-newsletter-second-button",
            "message": message,
        }
    )


def _template(target: Target, body: bytes) -> _Template:
    head = (
        f"POST /webhooks/{target.source} HTTP/1.1\r\nhost: {target.host}:{target.port}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    )
    if target.source is Source.LEAD:
        return _Template(body, head.encode(), b"")
    head += f"x-revenueflow-secret: {target.secret}\r\n\r\n"
    before, _, after = (head.encode() + body).partition(MARK)
    return _Template(body, before, after)
