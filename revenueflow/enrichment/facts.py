"""The one value of each fact that scoring and routing look at, chosen from the evidence.

By trust: our own records go before what a vendor says, and that before what the form says, unless enrichment.toml has
another rule for the signal (`overwrite`); then what more providers agree on; then what is fresher; then what was listed
first. The lead's domain stays the one that vendors were asked with. All evidence is kept; the choice names the evidence
that agrees with it, and says why it was preferred to the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import JsonValue

from revenueflow.domain.companies import same_company
from revenueflow.domain.evidence import Evidence, Signal, Trust
from revenueflow.domain.headcounts import people
from revenueflow.domain.lead import Lead
from revenueflow.domain.naics import naics
from revenueflow.domain.quantity import Range
from revenueflow.domain.scoring import LONGEST_UNREAD, NO_ADDRESS, NO_PLACE, LeadFacts
from revenueflow.domain.text import visible
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.domains import EmailDomains, NoDomain, email_domains, host_of_email, registrable
from revenueflow.enrichment.rules import Overwrite

NEAR = 0.2
"""Headcounts agree if they meet when each is widened by this share: vendors count at different times."""


class Reader(NamedTuple):
    """How evidence of one signal is read (None: it can't be), and when two readings agree."""

    signal: Signal
    normal: Callable[[JsonValue], Any]
    agree: Callable[[Any, Any], bool]


class Reading(NamedTuple):
    """One piece of evidence, normalised."""

    id: str
    evidence: Evidence
    value: Any


class Choice(NamedTuple):
    """The chosen value, None if there is none, and the ids of the evidence that agrees with it.

    `said`: the value as it was written; where nobody could read any, the first that was given.
    `why`: what decided against the best of those that disagree (trust, agreement, freshness or order); `agreed` or
    `only` if nobody does; `form` if there is no evidence but the lead's own field.
    """

    value: Any = None
    ids: tuple[str, ...] = ()
    why: str = "form"
    said: str | None = None


def lead_facts(
    lead: Lead,
    evidence: Mapping[str, Evidence] | Sequence[Evidence],
    vocabulary: Vocabulary,
    domains: EmailDomains | None = None,
    overwrite: Mapping[Signal, Overwrite] | None = None,
) -> LeadFacts:
    """The facts of a lead. Evidence is named by the keys of the mapping (E1…), or else by its own id.

    `overwrite` is `always` for signals that it does not name. A fact without evidence falls back to the lead's own
    field, and has no entry in `LeadFacts.evidence`.
    """
    numbered = evidence if isinstance(evidence, Mapping) else {str(item.id): item for item in evidence}
    rules = overwrite or {}
    chosen = {
        name: choose(numbered, reader, rules.get(reader.signal, Overwrite.ALWAYS), lead.received_at)
        for name, reader in _readers(vocabulary).items()
    }
    if lead.domain and chosen["domain"].value != lead.domain:
        chosen["domain"] = Choice(lead.domain)
    own = {name: getattr(lead, name, None) for name in chosen}
    kind = (domains or email_domains()).kind(host_of_email(lead.email))
    return LeadFacts(
        campaign_id=lead.campaign_id,
        email_given=bool(lead.email),
        phone_given=bool(lead.phone),
        name_given=bool(lead.name),
        free_mail=kind is NoDomain.FREE_MAIL,
        disposable=kind is NoDomain.DISPOSABLE,
        industry_text=chosen["industry"].said,
        bio_given=bool(lead.message),
        unread=_unread(lead, chosen, own),
        evidence={name: choice.ids for name, choice in chosen.items() if choice.ids},
        why={name: choice.why for name, choice in chosen.items() if choice.value or own[name]},
        **{name: choice.value or own[name] for name, choice in chosen.items()},
    )


def _unread(lead: Lead, chosen: Mapping[str, Choice], own: Mapping[str, Any]) -> dict[str, str]:
    found = {
        name: one.said[:LONGEST_UNREAD]
        for name, one in chosen.items()
        if one.said and one.value is None and own[name] is None
    }
    if not chosen["country"].said and own["country"] is None and visible(lead.form.location or "").strip():
        found["country"] = NO_PLACE
    return found | ({"email": NO_ADDRESS} if not lead.email and visible(lead.form.email or "").strip() else {})


def choose(
    evidence: Mapping[str, Evidence],
    reader: Reader,
    overwrite: Overwrite = Overwrite.ALWAYS,
    received_at: datetime | None = None,
) -> Choice:
    """The value of one fact, by the order at the top of this file. `received_at` is when the lead came in."""
    readings = [
        Reading(id_, item, value)
        for id_, item in evidence.items()
        if item.signal is reader.signal
        and not (overwrite is Overwrite.NEVER and item.trust is not Trust.SELF_REPORTED)
        and (value := reader.normal(item.value)) is not None
    ]
    if not readings:
        given = (_said(item.value) for item in evidence.values() if item.signal is reader.signal)
        return Choice(said=next(filter(None, given), None))
    weights = {one.id: _weight(one, readings, reader, overwrite, received_at) for one in readings}
    best = max(readings, key=lambda one: weights[one.id])
    value = int(best.value.midpoint) if isinstance(best.value, Range) else best.value
    agreeing = [one for one in readings if reader.agree(one.value, best.value)]
    others = [weights[one.id] for one in readings if one not in agreeing]
    ids = tuple(one.id for one in agreeing)
    return Choice(value, ids, _why(weights[best.id], others, len(agreeing)), _text(best.evidence.value))


class _Weight(NamedTuple):
    """What decides, in this order."""

    trust: int
    agreement: int
    freshness: float


def _weight(
    reading: Reading,
    readings: Sequence[Reading],
    reader: Reader,
    overwrite: Overwrite,
    received_at: datetime | None,
) -> _Weight:
    agreeing = {one.evidence.provider for one in readings if reader.agree(one.value, reading.value)}
    trust = _TRUST[reading.evidence.trust]
    if reading.evidence.trust is Trust.SELF_REPORTED and _keeps_own(overwrite, readings, received_at):
        trust = len(_TRUST)
    return _Weight(trust, len(agreeing), reading.evidence.fetched_at.timestamp())


_TRUST = {Trust.SELF_REPORTED: 0, Trust.VENDOR: 1, Trust.FIRST_PARTY: 2}


def _keeps_own(overwrite: Overwrite, readings: Sequence[Reading], received_at: datetime | None) -> bool:
    """Whether what the lead says of itself stays."""
    if overwrite is not Overwrite.WHEN_FRESHER or received_at is None:
        return overwrite is Overwrite.WHEN_BLANK
    said = [one.evidence for one in readings if one.evidence.trust is not Trust.SELF_REPORTED]
    return not any(one.fetched_at > received_at for one in said)


def _why(best: _Weight, others: Sequence[_Weight], agreeing: int) -> str:
    if not others:
        return "agreed" if agreeing > 1 else "only"
    second = max(others)
    return next((name for name in _Weight._fields if getattr(best, name) != getattr(second, name)), "order")


def _readers(vocabulary: Vocabulary) -> dict[str, Reader]:
    return {
        "company": Reader(Signal.COMPANY_NAME, _text, same_company),
        "domain": Reader(Signal.COMPANY_DOMAIN, lambda value: registrable(_text(value) or ""), _equal),
        "title": Reader(Signal.TITLE, _text, _same_text),
        "industry": Reader(Signal.INDUSTRY, lambda value: _industry(value, vocabulary), _equal),
        "headcount": Reader(Signal.HEADCOUNT, people, _near),
        "country": Reader(Signal.COUNTRY, lambda value: vocabulary.country(_text(value)), _equal),
        "source": Reader(Signal.SOURCE, _text, _same_text),
    }


def _said(value: JsonValue) -> str | None:
    return str(value) if isinstance(value, int) else _text(value)


def _text(value: JsonValue) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _industry(value: JsonValue, vocabulary: Vocabulary) -> str | None:
    """Of our short list: by the words of a label, or by a NAICS code."""
    return vocabulary.industry(_text(value)) or naics().industry(value)


def _equal(one: object, other: object) -> bool:
    return one == other


def _same_text(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _near(one: Range, other: Range) -> bool:
    return one.overlaps(other, NEAR)
