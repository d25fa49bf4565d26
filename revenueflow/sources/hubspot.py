"""HubSpot's webhooks: arrays of up to 100 events that name a contact; the contact itself is fetched by capture."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from revenueflow.domain.lead import LeadForm
from revenueflow.sources import payload
from revenueflow.sources.aliases import Understood
from revenueflow.sources.arrival import Arrival

SOURCE = "hubspot"
MOST_EVENTS = 100
KEY = ("portalId", "subscriptionId", "eventId", "objectId", "occurredAt")


def read(raw: bytes, content_type: str = "application/json") -> list[Arrival]:
    """One arrival for each event; what is no event is one quarantined arrival."""
    try:
        events = payload.json(raw)
    except payload.Unreadable as problem:
        return [quarantined(raw, content_type, str(problem))]
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        return [quarantined(raw, content_type, "not_an_array_of_events")]
    return [event(one, raw, content_type) for one in events]


def contact_id(arrival_key: str) -> str:
    """The contact that a delivery names: the object id in its key."""
    return arrival_key.split(":")[3]


def event(given: object, body: bytes, content_type: str) -> Arrival:
    """One event as an arrival; quarantined, with a reason, if it is none or not about a contact."""
    try:
        raw = orjson.dumps(given)
    except orjson.JSONEncodeError:  # it writes fewer levels than it reads
        return quarantined(body, content_type, "nested_too_deep")
    if not isinstance(given, Mapping) or any(type(given.get(name)) is not int for name in KEY):
        return quarantined(raw, content_type, "not_an_event")
    if not str(given.get("subscriptionType", "")).startswith("contact."):
        return quarantined(raw, content_type, "not_a_contact_event")
    key = ":".join(str(given[name]) for name in KEY)
    return about_contact(key, f"{given['portalId']}:{given['objectId']}", raw, content_type)


def about_contact(key: str, own: str, raw: bytes, content_type: str = "application/json") -> Arrival:
    """What names a contact (`own` is portal:object). The fourth part of `key` is the object."""
    understood = Understood(source_id=own, form=LeadForm(source="hubspot"))
    return Arrival(SOURCE, key, raw, content_type, understood, own_id=own, own_id_first=True)


def quarantined(raw: bytes, content_type: str, reason: str) -> Arrival:
    """A body that is no array of events, as it came."""
    return Arrival(SOURCE, payload.body_key(raw), raw, content_type, reason=reason)
