"""What the person wrote into the form, as evidence: self-reported, and without personal data."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import JsonValue

from revenueflow.domain.evidence import Evidence, Signal, Trust
from revenueflow.domain.lead import Lead, LeadForm
from revenueflow.domain.text import visible
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.base import evidence_id
from revenueflow.enrichment.domains import host_of_url, registrable
from revenueflow.privacy.redaction import known_values, redact
from revenueflow.privacy.titles import Titles

PROVIDER = "form"
LABELS = (
    (Signal.COMPANY_NAME, "company"),
    (Signal.INDUSTRY, "industry"),
    (Signal.HEADCOUNT, "headcount"),
    (Signal.COUNTRY, "country"),
    (Signal.CITY, "location"),
    (Signal.SOURCE, "source"),
)
"""Short fields: the full name is replaced in them, a single word of it is not: a firm may share it."""
SENTENCES = ((Signal.TITLE, "title"), (Signal.MESSAGE, "message"))
"""Fields that people sign: each word of the name is replaced; in the title not one that titles are made of."""


def form_evidence(lead: Lead, *, run_key: str, vocabulary: Vocabulary | None = None) -> tuple[Evidence, ...]:
    """The form's fields, as of when the lead came in. `path` is the place in the form, under our names.

    With a vocabulary nobody is called "N/A": its placeholders are nobody's personal data.
    """
    form = _folded(lead)
    if vocabulary:
        nobody = {name: None for name, text in _personal(form) if vocabulary.says_nothing(text)}
        form = form.model_copy(update=nobody)
    whole = [(kind, value) for kind, value in _personal(form) if value]
    words = known_values(form.email, form.phone, form.name)
    titles = Titles(words)

    def shown(name: str, text: str) -> str:
        if name == "title":
            return titles.redact(text)
        return redact(text, words if name == "message" else whole)

    values: list[tuple[Signal, str, JsonValue]] = [
        (signal, name, _value(signal, shown(name, text)))
        for signal, name in (*LABELS, *SENTENCES)
        if (text := _clean(getattr(form, name)))
    ]
    host = host_of_url(form.website)
    if host and lead.domain and registrable(host) == lead.domain:
        values.append((Signal.COMPANY_DOMAIN, "website", lead.domain))
    return tuple(_evidence(lead.id, run_key, lead.received_at, *value) for value in values)


def _folded(lead: Lead) -> LeadForm:
    """The form, with the fields that capture has folded from all deliveries."""
    names = ("email", "name", "phone", "company", "title", "source", "message")
    folded = {name: value for name in names if (value := getattr(lead, name))}
    return lead.form.model_copy(update=folded | {"country": lead.form.country or lead.country})


def _personal(form: LeadForm) -> tuple[tuple[str, str], ...]:
    return (("email", form.email or ""), ("phone", form.phone or ""), ("name", form.name or ""))


def _value(signal: Signal, text: str) -> JsonValue:
    """A headcount of digits only is a number; everything else stays as it was written."""
    plain = signal is Signal.HEADCOUNT and text.isascii() and text.isdigit()
    return int(text) if plain else text


def _clean(text: str | None) -> str:
    """Without what can't be seen: it must not hide what is looked for, and no database column takes NUL."""
    return visible(text or "").strip()


def _evidence(lead_id: UUID, run_key: str, at: datetime, signal: Signal, name: str, value: JsonValue) -> Evidence:
    path = f"$.{name}"
    return Evidence(
        id=evidence_id(lead_id, run_key, PROVIDER, signal, path),
        provider=PROVIDER,
        signal=signal,
        path=path,
        value=value,
        fetched_at=at,
        trust=Trust.SELF_REPORTED,
    )
