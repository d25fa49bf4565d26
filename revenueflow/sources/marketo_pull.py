"""Leads that Marketo has and its webhook could not deliver, found through their activities.

A lead counts as delivered if we have a delivery of it, in any campaign, that is not older than the activity: then the
activity is passed over, and no second run is made for it. What is younger than `grace` is left to the webhook for now;
the next pull begins early enough to see it again. A lead that was erased here is never brought back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from revenueflow.clock import rfc3339, utcnow
from revenueflow.db import deliveries
from revenueflow.db.deliveries import LatestDelivery
from revenueflow.db.direct import Direct
from revenueflow.errors import UpstreamRejected
from revenueflow.privacy.identity import IdentityKey
from revenueflow.sources.aliases import understand
from revenueflow.sources.arrival import Arrival, Identified, identify
from revenueflow.sources.marketo import SOURCE
from revenueflow.sources.marketo_rest import Activities, MarketoRest
from revenueflow.sources.reconcile import Batch

FIELDS = (
    "id", "email", "firstName", "lastName", "phone", "mobilePhone", "company", "website", "title", "industry",
    "numberOfEmployees", "country", "city", "state", "leadSource",
)  # fmt: skip
SKEW = timedelta(seconds=60)
"""How far Marketo's clock and ours may be apart, and how long before the activity its webhook may have come."""


class Activity(NamedTuple):
    """An activity of a lead. `at` is None if Marketo's time can't be read; `key` names it."""

    lead: int
    key: str
    at: datetime | None
    raw: Mapping[str, Any]


class _Place(NamedTuple):
    """Where a pull stands that began to read at `begin` and was started at `started`."""

    token: str
    begin: datetime
    started: datetime

    def at(self, token: str) -> dict[str, str]:
        """As the cursor keeps it."""
        return {"token": token, "begin": rfc3339(self.begin), "started": rfc3339(self.started)}

    @classmethod
    def read(cls, cursor: Mapping[str, Any]) -> _Place | None:
        """From a cursor; None if the last pull came to its end."""
        token, begin, started = cursor.get("token"), _moment(cursor.get("begin")), _moment(cursor.get("started"))
        return cls(token, begin, started) if isinstance(token, str) and begin and started else None


class MarketoPull:
    """Reads Marketo. `grace` and `overlap` are in seconds; `fields` are read besides FIELDS."""

    source = SOURCE

    def __init__(
        self,
        rest: MarketoRest,
        direct: Direct,
        key: IdentityKey,
        *,
        types: Sequence[int],
        grace: float,
        overlap: float,
        fields: Sequence[str] = (),
        config_dir: Path | None = None,
    ) -> None:
        self._rest = rest
        self._direct = direct
        self._key = key
        self._types = types
        self._fields = tuple(dict.fromkeys((*FIELDS, *fields)))
        self._grace = timedelta(seconds=grace)
        self._overlap = timedelta(seconds=overlap)
        self._config_dir = config_dir

    async def batches(self, cursor: Mapping[str, Any], since: datetime | None) -> AsyncIterator[Batch]:
        """One batch for each page. A pull that broke off goes on at its page, unless `since` is given."""
        place = _Place.read(cursor)
        if since or place is None:
            started = utcnow()
            first = place.begin if place else _moment(cursor.get("since")) or self._again_from(started)
            # Nothing is left out between the last pull and a `since` that is later.
            begin = min(since, first) if since else first
            place = _Place(await self._rest.paging_token(begin), begin, started)
            page = await self._rest.activities(place.token, self._types)
        else:
            place, page = await self._resume(place)
        following = {"since": rfc3339(self._again_from(place.started))}
        while True:
            missing = await self._missing(_newest_of_each(page.items, before=utcnow() - self._grace))
            yield Batch(len(page.items), missing, following | (place.at(page.token) if page.more else {}))
            if not page.more:
                return
            page = await self._rest.activities(page.token, self._types)

    async def _resume(self, place: _Place) -> tuple[_Place, Activities]:
        """The page where a pull broke off; from its beginning if Marketo does not know the place any more."""
        try:
            return place, await self._rest.activities(place.token, self._types)
        except UpstreamRejected:
            again = place._replace(token=await self._rest.paging_token(place.begin))
            return again, await self._rest.activities(again.token, self._types)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._rest.aclose()

    def _again_from(self, started: datetime) -> datetime:
        return started - self._grace - self._overlap

    async def _missing(self, activities: Mapping[int, Activity]) -> list[Arrival]:
        """The leads of these activities, as Marketo has them now, of which no delivery is as new."""
        if not activities:
            return []
        leads = await self._rest.leads(list(activities), self._fields)
        known = [(activities[one["id"]], one) for one in leads if one.get("id") in activities]
        identified = [(one, identify(self._arrival(one, lead), self._key)) for one, lead in known]
        async with self._direct.connection() as connection:
            identities = [each.identity_key for _, each in identified if each.identity_key]
            latest = await deliveries.latest(connection, identities, SOURCE)
        return [
            _in_its_campaign(each, latest) for activity, each in identified if not _delivered(activity, each, latest)
        ]

    def _arrival(self, activity: Activity, lead: Mapping[str, Any]) -> Arrival:
        raw = {name: lead.get(name) for name in self._fields} | {"activity": activity.raw}
        understood = understand(lead, self._config_dir)
        # The key alone decides whether it is the same: Marketo may have changed the lead between two readings.
        digest = sha256(activity.key.encode()).digest()
        own_id = understood.source_id
        return Arrival(
            SOURCE, activity.key, orjson.dumps(raw), "application/json", understood, own_id=own_id, body_sha256=digest
        )


def _newest_of_each(items: Sequence[Mapping[str, Any]], *, before: datetime) -> dict[int, Activity]:
    """The newest activity of each lead, of those that happened before."""
    newest: dict[int, Activity] = {}
    for one in map(_activity, items):
        if one is None or (one.at and one.at > before):
            continue
        known = newest.get(one.lead)
        if known is None or (one.at and known.at and one.at > known.at):
            newest[one.lead] = one
    return newest


def _activity(item: Mapping[str, Any]) -> Activity | None:
    """None for an activity without a lead or a name of its own."""
    lead, name = item.get("leadId"), item.get("marketoGUID") or item.get("id")
    if type(lead) is not int or not isinstance(name, str | int):
        return None
    names = ("id", "marketoGUID", "activityDate", "activityTypeId", "campaignId")
    kept = {field: item[field] for field in names if isinstance(item.get(field), str | int)}
    return Activity(lead, f"activity:{str(name)[:200]}", _moment(item.get("activityDate")), kept)


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found and not found.tzinfo else found


def _delivered(activity: Activity, one: Identified, latest: Sequence[LatestDelivery]) -> bool:
    for known in latest:
        if known.identity_key == one.identity_key and one.identity_key:
            if known.erased:
                return True
            if known.received_at and (activity.at is None or known.received_at >= activity.at - SKEW):
                return True
    return False


def _in_its_campaign(one: Identified, latest: Sequence[LatestDelivery]) -> Arrival:
    """A lead that we have stays in the campaign that it is in: an activity does not say which one its form names."""
    own = [known for known in latest if known.identity_key == one.identity_key]
    if not own or one.arrival.understood is None:
        return one.arrival
    last = max(own, key=lambda known: known.received_at or datetime.min.replace(tzinfo=UTC))
    understood = one.arrival.understood.model_copy(update={"campaign_id": last.campaign_id})
    return Arrival(
        SOURCE, one.arrival.delivery_key, one.arrival.raw, one.arrival.content_type, understood,
        own_id=one.arrival.own_id, body_sha256=one.arrival.body_sha256,
    )  # fmt: skip
