"""HubSpot's webhooks journal: the events of the last three days, in files whose addresses the journal gives.

An event that has a webhook's ids is the same delivery as the webhook's. The journal's own events have none of them
(portal, object, action and time instead): one is passed over if we have a delivery of that contact at that time. Only
contacts that were made, changed or restored are leads.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import orjson

from revenueflow.clock import rfc3339, utcnow
from revenueflow.db import deliveries
from revenueflow.db.direct import Direct
from revenueflow.errors import UpstreamRejected, UpstreamUnavailable
from revenueflow.privacy.identity import IdentityKey
from revenueflow.resilience.http import Exchange, Request, new_client
from revenueflow.resilience.outside import Outside
from revenueflow.resilience.tokens import Granted, Token
from revenueflow.resilience.upstream import Answer, HttpUpstream
from revenueflow.sources import hubspot
from revenueflow.sources.arrival import Arrival, identify
from revenueflow.sources.reconcile import Batch

NAME = "hubspot_journal"
JOURNAL = "/webhooks-journal/journal/2026-03/batch"
SCOPE = "developer.webhooks_journal.read"
COUNT = 20
GONE = (404, 410)
KEPT = timedelta(days=3)
NEAR = timedelta(seconds=1)
"""How far the times of the same event may be apart in the journal and in a webhook."""
CONTACTS = "0-1"
ACTIONS = frozenset({"CREATE", "UPDATE", "RESTORE"})


class File(NamedTuple):
    """A file of the journal: where it is, and its place."""

    url: str
    offset: str


class Entry(NamedTuple):
    """An event about a contact, as an arrival. `exact`: under the very key that a webhook gives it."""

    arrival: Arrival
    at: datetime
    contact: str
    exact: bool


class HubSpotJournal:
    """A client for the journal. The files, whose addresses are not ours to choose, are fetched by `outside`."""

    def __init__(self, base_url: str, client_id: str, client_secret: str, outside: Outside) -> None:
        self._client = new_client(connections=4)
        self._base_url = base_url.rstrip("/")
        self._upstream = HttpUpstream(NAME, base_url, client=self._client, timeout=30)
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._outside = outside
        self._token = Token(self._grant)

    async def files(self, after: str | None) -> list[File]:
        """The next files after an offset, or the earliest; none at the end. An offset that is gone is none."""
        path = f"{JOURNAL}/{quote(after, safe='')}/next/{COUNT}" if after else f"{JOURNAL}/earliest/{COUNT}"
        answer = await self._get(path)
        if answer.status in GONE:
            return await self.files(None) if after else []
        if answer.status == 204:
            return []
        listed = answer.data.get("results") if isinstance(answer.data, dict) else None
        if not isinstance(listed, list):
            raise _malformed()
        return [_file(one) for one in listed]

    async def _get(self, path: str) -> Answer:
        """With a new token if the one that we have has ended."""
        for _ in range(2):
            token = await self._token.get()
            headers = {"authorization": f"Bearer {token}"}
            answer = await self._upstream.request("GET", path, headers=headers, allow=(200, 204, 401, *GONE))
            if answer.status != 401:
                return answer
            self._token.forget(token)
        raise UpstreamRejected(NAME, "bad_key")

    async def events(self, file: File) -> list[Any]:
        """What a file holds. Raises UpstreamError, also for an address that may not be asked."""
        try:
            data = orjson.loads((await self._outside.fetch(file.url)).body)
        except orjson.JSONDecodeError:
            raise _malformed() from None
        found = data.get("journalEvents") if isinstance(data, dict) else data
        if not isinstance(found, list):
            raise _malformed()
        return found

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _grant(self) -> Granted:
        form = urlencode({"grant_type": "client_credentials", "scope": SCOPE, **self._credentials})
        headers = {"content-type": "application/x-www-form-urlencoded"}
        request = Request("POST", f"{self._base_url}/oauth/v1/token", headers, form.encode())
        status, _, body = await Exchange(NAME, request, 10.0).run(self._client)
        if status >= 500 or status == 429:
            raise UpstreamUnavailable(NAME, "server_error")
        if status != 200:
            raise UpstreamRejected(NAME, "bad_key")
        try:
            said = orjson.loads(body)
            return Granted(str(said["access_token"]), float(said["expires_in"]))
        except (ValueError, KeyError, TypeError):
            raise _malformed() from None


class HubSpotPull:
    """Reads the journal. What is younger than `grace` (seconds) is left to the webhook, and read the next time."""

    source = hubspot.SOURCE

    def __init__(self, journal: HubSpotJournal, direct: Direct, key: IdentityKey, *, grace: float) -> None:
        self._journal = journal
        self._direct = direct
        self._key = key
        self._grace = timedelta(seconds=grace)

    async def batches(self, cursor: Mapping[str, Any], since: datetime | None) -> AsyncIterator[Batch]:
        """One batch for each file. From the earliest with any `since`, or after more days than HubSpot keeps."""
        offset = None if since or _is_old(cursor.get("read_at")) else cursor.get("offset")
        while files := await self._journal.files(offset):
            for file in files:
                events = await self._journal.events(file)
                entries = [entry for entry in map(_entry, events) if entry]
                before = utcnow() - self._grace
                missing = await self._missing([entry for entry in entries if entry.at <= before])
                ripe = all(entry.at <= before for entry in entries)
                if ripe:
                    offset = file.offset
                yield Batch(len(events), missing, _place(offset))
                if not ripe:
                    return

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._journal.aclose()

    async def _missing(self, entries: Sequence[Entry]) -> list[Arrival]:
        identified = [(entry, identify(entry.arrival, self._key).lead_id) for entry in entries]
        leads = [lead for _, lead in identified if lead]
        async with self._direct.connection() as connection:
            known = await deliveries.keys_of_leads(connection, leads, hubspot.SOURCE)
        return [entry.arrival for entry, _ in identified if not _delivered(entry, known)]


def _delivered(entry: Entry, known: Sequence[str]) -> bool:
    if entry.exact:
        return entry.arrival.delivery_key in known
    return any(_same(entry, key) for key in known)


def _same(entry: Entry, key: str) -> bool:
    portal, *_, contact, at = key.partition("#")[0].split(":")
    moment = _moment(int(at)) if at.isdigit() else None
    return f"{portal}:{contact}" == entry.contact and moment is not None and abs(moment - entry.at) <= NEAR


def _entry(event: object) -> Entry | None:
    """None for what is no event about a contact that may be a lead."""
    if not isinstance(event, Mapping):
        return None
    portal, contact, at = event.get("portalId"), _number(event.get("objectId")), _moment(event.get("occurredAt"))
    if type(portal) is not int or contact is None or at is None:
        return None
    try:
        raw = orjson.dumps(event)
    except orjson.JSONEncodeError:  # it writes fewer levels than it reads
        return None
    if all(type(event.get(name)) is int for name in hubspot.KEY):
        arrival = hubspot.event(event, raw, "application/json")
        return Entry(arrival, at, f"{portal}:{contact}", True) if arrival.understood else None
    action = event.get("action")
    if event.get("objectTypeId") != CONTACTS or action not in ACTIONS:
        return None
    key = f"{portal}:journal:{action}:{contact}:{round(at.timestamp() * 1000)}"
    return Entry(hubspot.about_contact(key, f"{portal}:{contact}", raw), at, f"{portal}:{contact}", False)


def _number(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return value if type(value) is int else None


def _moment(value: object) -> datetime | None:
    """From milliseconds or RFC 3339."""
    try:
        if type(value) is int:
            return datetime.fromtimestamp(value / 1000, UTC)
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
    return found.replace(tzinfo=UTC) if found and not found.tzinfo else found


def _is_old(read_at: object) -> bool:
    moment = _moment(read_at)
    return moment is not None and utcnow() - moment > KEPT


def _place(offset: str | None) -> dict[str, Any]:
    return {"offset": offset, "read_at": rfc3339(utcnow())}


def _file(listed: object) -> File:
    url, offset = (listed.get("url"), listed.get("currentOffset")) if isinstance(listed, dict) else (None, None)
    if not isinstance(url, str) or not isinstance(offset, str):
        raise _malformed()
    return File(url, offset)


def _malformed() -> UpstreamRejected:
    return UpstreamRejected(NAME, "malformed")
