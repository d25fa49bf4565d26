"""Our own API: JSON with our field names or the usual aliases, checked strictly, with places but never values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from revenueflow.errors import Fault, InvalidInput, MalformedInput, UnsupportedMedia
from revenueflow.privacy.identity import normalise_email, normalise_linkedin
from revenueflow.sources import aliases, payload
from revenueflow.sources.aliases import Understood
from revenueflow.sources.arrival import Arrival

SOURCE = "api"


def read(raw: bytes, content_type: str, delivery: str | None, config_dir: Path | None = None) -> Arrival:
    """The lead in a request. Raises UnsupportedMedia, MalformedInput, or InvalidInput with JSON Pointers."""
    if payload.media_type(content_type) != "application/json":
        raise UnsupportedMedia("send application/json")
    fields = _object(raw)
    faults = aliases.wrong_types(fields, config_dir)
    understood = aliases.understand(fields, config_dir)
    faults += _wrong_values(understood, fields, config_dir)
    if faults:
        raise InvalidInput("fields of the lead are not valid", faults=tuple(faults))
    return Arrival(
        SOURCE, payload.delivery_key(delivery, raw), raw, content_type, understood, own_id=understood.source_id
    )


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        where = f"not valid JSON at line {error.lineno}, column {error.colno}"
        raise MalformedInput("the body is not valid JSON", faults=(Fault("", where),)) from None
    if not isinstance(value, dict):
        raise InvalidInput("the body is no JSON object", faults=(Fault("", "must be an object"),))
    return value


def _wrong_values(understood: Understood, fields: dict[str, Any], config_dir: Path | None) -> list[Fault]:
    form, faults = understood.form, []
    if form.email and not normalise_email(form.email):
        pointer = aliases.pointer_to("email", fields, config_dir)
        faults.append(Fault(pointer, "must be an email address (name@domain)"))
    if not (form.email or normalise_linkedin(form.linkedin_url) or understood.source_id):
        faults.append(Fault("/email", "a lead needs an email, a linkedin_url (linkedin.com/in/…) or an id"))
    return faults
