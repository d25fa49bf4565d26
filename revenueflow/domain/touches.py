"""Whether what a CRM shows of a lead says that somebody touched it. Pure.

What was there before the lead came is no touch of it: an older activity, and the status of a record that is older than
the lead, for as long as it stays as it was when we first looked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

CLOCKS_DIFFER = timedelta(minutes=1)
"""How far clocks may be apart: so far may a touch lie in the future, or before the lead came."""
TIMES: Final = ("touched_at", "contacted_at")
"""Fields that hold when somebody was in touch. The CRM may keep only the first time, or only the last."""
WORKED: Final = ("working", "nurturing", "qualified", "unqualified", "converted")
"""Where a lead stands only after somebody has dealt with it."""
NOT_WORKED: Final = "none"


class Sign(NamedTuple):
    """When the lead was touched, and which field says so. `seen`: the CRM says no time, so it is ours."""

    at: datetime
    field: str
    seen: bool


def status_of(record: Mapping[str, Any]) -> str:
    """Where the record stands, in our words; NOT_WORKED for what is new, or has no word of ours."""
    status = "converted" if record.get("converted") is True else record.get("status")
    return status if isinstance(status, str) and status in WORKED else NOT_WORKED


def sign_of(record: Mapping[str, Any], received_at: datetime, now: datetime, earlier: str | None) -> Sign | None:
    """The earliest touch that the record shows since `received_at`; None if it shows none.

    A time counts before a day, and a day before a status: neither of these says when, so that is `now`. `earlier` is
    what `status_of` said at the look before, None if there was none.
    """
    times = [(moment, name) for name in TIMES if (moment := _moment(record.get(name)))]
    told = first_of(times, received_at, now)
    return told or next(_without_time(record, received_at, now, earlier), None)


def first_of(times: Iterable[tuple[datetime, str]], received_at: datetime, now: datetime) -> Sign | None:
    """The earliest time, with the name of what says so, since the lead came and not in the future."""
    known = [one for one in times if received_at - CLOCKS_DIFFER <= one[0] <= now + CLOCKS_DIFFER]
    return Sign(*min(known), seen=False) if known else None


def _without_time(
    record: Mapping[str, Any], received_at: datetime, now: datetime, earlier: str | None
) -> Iterator[Sign]:
    created = _moment(record.get("created_at"))
    older = created is not None and created < received_at - CLOCKS_DIFFER
    day, came = _day(record.get("activity_on")), received_at.astimezone(UTC).date()
    # In which time zone the day is, the CRM does not say: it may be a day off.
    if day and (day > came if older else day >= came - timedelta(days=1)):
        yield Sign(now, "activity_on", seen=True)
    status = status_of(record)
    if status != NOT_WORKED and (not older or earlier not in (None, status)):
        yield Sign(now, f"status_{status}", seen=True)


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
