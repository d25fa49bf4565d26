"""Lists in vendors' answers, whose items are texts or objects with a text in them."""

from __future__ import annotations

import re

from pydantic import JsonValue

from revenueflow.enrichment.mapping import LONGEST_LIST, At, Converter, Unfit, text
from revenueflow.privacy.redaction import redact

_PROFILE = re.compile(r"(?:https?://)?(?:[a-z0-9-]+\.)*linkedin\.com/(?:in|pub)/[^\s)\]>\"']*", re.IGNORECASE)
_STAGE = ("series", "stage", "type", "round", "fundingType")
_DATE = ("date", "announcedDate", "announced_date", "fundingDate")


def listed(form: Converter, *names: str) -> Converter:
    """A list of texts as `form` reads them; of an object, the first of `names` that is there. One text is a list."""

    def read(value: JsonValue) -> JsonValue:
        items = value if isinstance(value, list) else [value]
        if len(items) > LONGEST_LIST:
            raise Unfit("too_long")
        inside = [_inside(item, names) for item in items]
        return [told for item in inside if item not in (None, "") and isinstance(told := form(item), str)]

    return read


def _inside(item: JsonValue, names: tuple[str, ...]) -> JsonValue:
    if not isinstance(item, dict):
        return item
    return next((item[name] for name in names if item.get(name)), None)


def without_profiles(value: JsonValue) -> str:
    """Running text without email addresses, phone numbers and addresses of personal profiles."""
    return redact(_PROFILE.sub("[profile]", text(value)))


def latest_round(rounds: JsonValue) -> At | str | None:
    """The stage of the funding round that was last, or of the first in the list where dates don't tell; or a stage."""
    if isinstance(rounds, str):
        return text(rounds)
    if not isinstance(rounds, list):
        raise Unfit("wrong_type")
    named = [
        (str(next((item[date] for date in _DATE if item.get(date)), "")), -place, name)
        for place, item in enumerate(rounds)
        if isinstance(item, dict) and (name := next((name for name in _STAGE if item.get(name)), None))
    ]
    if not named:
        return None
    _, place, name = max(named)
    item = rounds[-place]
    return At(f"[{-place}].{name}", text(item[name])) if isinstance(item, dict) else None
