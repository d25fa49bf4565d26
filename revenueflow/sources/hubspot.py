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
_KEY = ("portalId", "subscriptionId", "eventId", "objectId", "occurredAt")


def read(raw: bytes, content_type: str = "application/json") -> list[Arrival]:
    """One arrival for each event; what is no event is one quarantined arrival."""
    try:
        events = payload.json(raw)
    except payload.Unreadable as problem:
        return [quarantined(raw, content_type, str(problem))]
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        return [quarantined(raw, content_type, "not_an_array_of_events")]
    return [_event(event, raw, content_type) for event in events]


def contact_id(arrival_key: str) -> str:
    """The contact that a delivery names: the object id in its key."""
    return arrival_key.split(":")[3]


def _event(event: object, body: bytes, content_type: str) -> Arrival:
    try:
        raw = orjson.dumps(event)
    except orjson.JSONEncodeError:  # it writes fewer levels than it reads
        return quarantined(body, content_type, "nested_too_deep")
    if not isinstance(event, Mapping) or any(type(event.get(name)) is not int for name in _KEY):
        return quarantined(raw, content_type, "not_an_event")
    if not str(event.get("subscriptionType", "")).startswith("contact."):
        return quarantined(raw, content_type, "not_a_contact_event")
    key = ":".join(str(event[name]) for name in _KEY)
    own = f"{event['portalId']}:{event['objectId']}"
    understood = Understood(source_id=own, form=LeadForm(source="hubspot"))
    return Arrival(SOURCE, key, raw, content_type, understood, own_id=own, own_id_first=True)


def quarantined(raw: bytes, content_type: str, reason: str) -> Arrival:
    """A body that is no array of events, as it came."""
    return Arrival(SOURCE, payload.body_key(raw), raw, content_type, reason=reason)
