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
from revenueflow.domain.scoring import LONGEST_UNREAD, NO_PLACE, LeadFacts
from revenueflow.domain.text import visible
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.contact import Contact, contact, has_letter
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
    chosen = _chosen(numbered, vocabulary, overwrite or {}, lead.received_at)
    if lead.domain and chosen["domain"].value != lead.domain:
        chosen["domain"] = Choice(lead.domain)
    own = {name: _own(lead, name, vocabulary) for name in chosen}
    known = _contact(lead, vocabulary)
    kind = (domains or email_domains()).kind(host_of_email(lead.email))
    return LeadFacts(
        campaign_id=lead.campaign_id,
        email_given=known.email is True,
        phone_given=known.phone is True,
        name_given=known.name is True,
        free_mail=kind is NoDomain.FREE_MAIL,
        disposable=kind is NoDomain.DISPOSABLE,
        industry_text=chosen["industry"].said,
        bio_given=_told(lead.message, vocabulary) is not None,
        unread=_unread(chosen, own, _told(lead.form.location, vocabulary)) | known.unread,
        evidence={name: choice.ids for name, choice in chosen.items() if choice.ids},
        why={name: choice.why for name, choice in chosen.items() if choice.value or own[name]},
        **{name: choice.value or own[name] for name, choice in chosen.items()},
    )


def _chosen(
    numbered: Mapping[str, Evidence], vocabulary: Vocabulary, rules: Mapping[Signal, Overwrite], received_at: datetime
) -> dict[str, Choice]:
    found = {}
    for name, reader in _readers(vocabulary).items():
        rule, speaking = rules.get(reader.signal, Overwrite.ALWAYS), _speaking(numbered, reader, vocabulary)
        found[name] = choose(speaking, reader, rule, received_at)
    return found


def _unread(chosen: Mapping[str, Choice], own: Mapping[str, Any], place: str | None) -> dict[str, str]:
    found = {
        name: one.said[:LONGEST_UNREAD]
        for name, one in chosen.items()
        if one.said and one.value is None and own[name] is None
    }
    if place and not chosen["country"].said and own["country"] is None:
        found["country"] = NO_PLACE
    return found


def _speaking(evidence: Mapping[str, Evidence], reader: Reader, vocabulary: Vocabulary) -> dict[str, Evidence]:
    """The evidence of a signal, without what only stands where a value should. NA is a country all the same."""
    return {
        id_: item
        for id_, item in evidence.items()
        if item.signal is reader.signal
        and not (
            isinstance(item.value, str)
            and vocabulary.says_nothing(visible(item.value))
            and (reader.signal in _AS_WRITTEN or reader.normal(item.value) is None)
        )
    }


_AS_WRITTEN = frozenset({Signal.COMPANY_NAME, Signal.COMPANY_DOMAIN, Signal.TITLE, Signal.SOURCE})


def _told(text: str | None, vocabulary: Vocabulary) -> str | None:
    """A text as it can be seen; None if it says nothing."""
    shown = visible(text or "").strip()
    return None if not shown or vocabulary.says_nothing(shown) else shown


def _own(lead: Lead, name: str, vocabulary: Vocabulary) -> Any:
    """What the lead itself has for a fact."""
    value = getattr(lead, name, None)
    if name not in ("company", "title", "source") or value is None:
        return value
    return _title(value) if name == "title" and _told(value, vocabulary) else _told(value, vocabulary)


def _contact(lead: Lead, vocabulary: Vocabulary) -> Contact:
    written, phone, name = (_told(text, vocabulary) for text in (lead.form.email, lead.phone, lead.name))
    return contact(email=lead.email, written=written, phone=phone, name=name)


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
        "title": Reader(Signal.TITLE, _title, _same_text),
        "industry": Reader(Signal.INDUSTRY, lambda value: _industry(value, vocabulary), _equal),
        "headcount": Reader(Signal.HEADCOUNT, people, _near),
        "country": Reader(Signal.COUNTRY, lambda value: vocabulary.country(_text(value)), _equal),
        "source": Reader(Signal.SOURCE, _text, _same_text),
    }


def _said(value: JsonValue) -> str | None:
    return str(value) if isinstance(value, int) else _text(value)


def _text(value: JsonValue) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _title(value: JsonValue) -> str | None:
    text = _text(value)
    return text if text and has_letter(text) else None


def _industry(value: JsonValue, vocabulary: Vocabulary) -> str | None:
    """Of our short list: by the words of a label, or by a NAICS code."""
    return vocabulary.industry(_text(value)) or naics().industry(value)


def _equal(one: object, other: object) -> bool:
    return one == other


def _same_text(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _near(one: Range, other: Range) -> bool:
    return one.overlaps(other, NEAR)
