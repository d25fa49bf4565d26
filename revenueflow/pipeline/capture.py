"""Capture: folds a lead's deliveries into the lead, in the order in which they were received.

The newest value wins, but a delivery that was spooled and arrives late fills blanks only. A HubSpot event names a
contact and has no data: the contact is fetched first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from revenueflow.clock import utcnow
from revenueflow.db import aged, deliveries, erasing
from revenueflow.db.deliveries import StoredDelivery
from revenueflow.domain import locations
from revenueflow.domain.base import Value
from revenueflow.domain.lead import Lead, LeadForm, LeadStatus
from revenueflow.domain.outcome import AuditEntry, Changes, Done, Outcome, Park, Snooze
from revenueflow.domain.phones import e164, time_zone
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.domains import company_domain
from revenueflow.errors import LeaseLost, UpstreamError, UpstreamRejected
from revenueflow.pipeline.context import Context
from revenueflow.privacy.identity import normalise_email, normalise_linkedin
from revenueflow.sources import hubspot
from revenueflow.sources.aliases import Understood

ERASED = "person_erased"
LEAVING = timedelta(seconds=5)


class Captured(Value):
    """The lead as its senders describe it."""

    lead: Lead
    deliveries: tuple[UUID, ...]
    no_domain: str | None = None


async def step(lead: Lead, context: Context) -> Outcome:
    """Reads the deliveries, fetches what they only name, and folds them."""
    async with context.services.direct.connection() as connection:
        stored = await deliveries.of_lead(connection, lead.id)
        if any(one.buried for one in stored):
            await aged.revive(connection, lead.id)
    if not stored or any(one.erased for one in stored):
        return await _of_erased(lead, stored, context)
    try:
        contacts = await _contacts(stored, context)
    except UpstreamError as error:
        return _without_contact(error)
    understood = [_understand(delivery, contacts) for delivery in stored]
    captured = _capture(lead.id, stored, understood, context)
    if not _can_be_reached(captured.lead):
        return Park("no_contact_point", _changes(captured, stored))
    return Done(captured, _changes(captured, stored))


async def _of_erased(lead: Lead, stored: Sequence[StoredDelivery], context: Context) -> Outcome:
    """What was received before somebody was erased goes; what came later waits until an operator opens it."""
    if not stored or any(one.erased == "dropped" for one in stored):
        async with context.services.direct.transaction() as connection:
            ended = await erasing.late(connection, lead.id)
        if ended:
            raise LeaseLost("the person was erased: the run is over")
    if any(one.erased == "held" for one in stored):
        return Park(ERASED)
    if any(one.erased == "leaving" for one in stored):
        return Snooze(utcnow() + LEAVING, "erasing_under_way")
    return await step(lead, context) if stored else Park("no_deliveries")


async def _contacts(stored: Sequence[StoredDelivery], context: Context) -> dict[str, Understood | None]:
    """The HubSpot contacts that deliveries name, each fetched once."""
    hubspot_contacts = context.services.hubspot
    if hubspot_contacts is None:
        return {}
    ids = {hubspot.contact_id(one.delivery_key) for one in stored if one.source == hubspot.SOURCE}
    return {contact: await hubspot_contacts.fetch(contact) for contact in sorted(ids)}


def _understand(delivery: StoredDelivery, contacts: Mapping[str, Understood | None]) -> Understood:
    given = Understood.model_validate(delivery.parsed)
    if delivery.source != hubspot.SOURCE:
        return given
    fetched = contacts.get(hubspot.contact_id(delivery.delivery_key))
    return given if fetched is None else given.model_copy(update={"form": _fill(fetched.form, given.form)})


def _without_contact(error: UpstreamError) -> Outcome:
    if isinstance(error, UpstreamRejected):
        return Park(f"hubspot_contact_{error.reason}")
    return Snooze(utcnow() + timedelta(seconds=error.retry_after or 15), f"hubspot_{error.reason}")


def _capture(
    lead_id: UUID, stored: Sequence[StoredDelivery], understood: Sequence[Understood], context: Context
) -> Captured:
    form = LeadForm()
    for delivery, one in zip(stored, understood, strict=True):
        form = _fill(form, one.form) if delivery.outcome == "spooled" else _fill(one.form, form)
    campaign = understood[0].campaign_id
    return fold(lead_id, campaign, form, stored, context)


def fold(lead_id: UUID, campaign: str, form: LeadForm, stored: Sequence[StoredDelivery], context: Context) -> Captured:
    """The lead of a form that these deliveries came to."""
    at, vocabulary = stored[0].received_at, context.services.vocabulary
    lead, no_domain = lead_of(lead_id, form, vocabulary, campaign=campaign, at=at, version=context.lease.run_version)
    return Captured(lead=lead, deliveries=tuple(one.id for one in stored), no_domain=no_domain)


def lead_of(
    lead_id: UUID, form: LeadForm, vocabulary: Vocabulary, *, campaign: str, at: datetime, version: int = 1
) -> tuple[Lead, str | None]:
    """The lead of a form: email, domain, country, phone and time zone in their normal form, the rest as given.

    Also tells why there is no domain, if there is none.
    """
    email = normalise_email(form.email)
    found = company_domain(website=form.website, email=email)
    country = locations.country(form.country, form.location, vocabulary)
    phone = e164(form.phone, country)
    lead = Lead(
        id=lead_id,
        campaign_id=campaign,
        version=version,
        form=form,
        email=email,
        domain=found.domain,
        country=country,
        phone=phone or form.phone,
        time_zone=time_zone(phone, country),
        received_at=at,
        **form.model_dump(include={"name", "company", "title", "source", "message"}),
    )
    return lead, found.reason


def _fill(first: LeadForm, second: LeadForm) -> LeadForm:
    return LeadForm(**(second.model_dump(exclude_none=True) | first.model_dump(exclude_none=True)))


def _can_be_reached(lead: Lead) -> bool:
    digits = sum(character.isdigit() for character in lead.phone or "")
    return bool(lead.email or digits >= 6 or normalise_linkedin(lead.form.linkedin_url))


def _changes(captured: Captured, stored: Sequence[StoredDelivery]) -> Changes:
    lead = captured.lead
    columns = lead.model_dump(exclude={"id", "form"}) | {
        "form": lead.form.model_dump(exclude_none=True),
        "identity_key": stored[0].identity_key,
        "status": LeadStatus.PROCESSING.value,
    }
    detail = {
        "deliveries": [str(one) for one in captured.deliveries],
        "sources": sorted({d.source for d in stored}),
    }
    return Changes(lead=columns, audit=(AuditEntry("lead.captured", "done", detail),))
