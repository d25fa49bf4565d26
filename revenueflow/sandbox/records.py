"""What the fake Marketo and HubSpot's journal know. Both begin empty: who wants something to be found puts it there.

`PUT /_sandbox/marketo/activities` adds to Marketo:

    {"leads": [{"id": 1, "email": …, "firstName": …}],        REST field names
     "activities": [{"leadId": 1, "activityDate": …}],        the rest (id, marketoGUID, type 12) is made up if missing
     "sample": [1, 2]}                                        these lines of data/sample.jsonl, with an activity each

`PUT /_sandbox/hubspot/journal` adds one file to the journal: `{"events": [...]}`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from revenueflow.sandbox import sample

NEW_LEAD: Final = 12
REST_NAMES: Final = {
    "Email Address": "email", "First Name": "firstName", "Last Name": "lastName", "Company Name": "company",
    "Job Title": "title", "Phone Number": "phone", "Country": "country", "Industry": "industry",
    "Number of Employees": "numberOfEmployees", "numberOfEmployees": "numberOfEmployees", "Lead Source": "leadSource",
    "Website": "website",
}  # fmt: skip


class MarketoRecords:
    """Leads by id, and activities in the order in which they were added."""

    def __init__(self) -> None:
        self.leads: dict[int, dict[str, Any]] = {}
        self.activities: list[dict[str, Any]] = []

    def add(self, sent: dict[str, Any]) -> None:
        """See above. Raises ValueError, TypeError or KeyError for another form; then what came before it is added."""
        for lead in sent.get("leads", ()):
            self.leads[int(lead["id"])] = dict(lead)
        for number in sent.get("sample", ()):
            (line,) = (one for one in sample.load() if one.n == number and one.via == "marketo")
            fields = {REST_NAMES[name]: value for name, value in line.payload.items() if name in REST_NAMES}
            self.leads[number] = {"id": number, **fields}
            self._happened({"leadId": number})
        for activity in sent.get("activities", ()):
            self._happened(activity)

    def clear(self) -> None:
        """Forgets all."""
        self.leads.clear()
        self.activities.clear()

    def _happened(self, given: dict[str, Any]) -> None:
        number = len(self.activities) + 1
        made = {
            "id": number,
            "marketoGUID": f"{number:06}",
            "activityDate": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "activityTypeId": NEW_LEAD,
            "attributes": [],
        }
        self.activities.append({**made, **given, "leadId": int(given["leadId"])})


class JournalFiles:
    """Files of events, or addresses of files, in order; each has a UUID for its offset."""

    def __init__(self) -> None:
        self.files: list[dict[str, Any]] = []

    def add(self, sent: dict[str, Any]) -> None:
        """One file more. Raises TypeError for another form."""
        if not isinstance(sent.get("events", []), list) or not isinstance(sent.get("url", ""), str):
            raise TypeError("events must be an array, url a text")
        offset = str(uuid5(NAMESPACE_URL, f"journal/{len(self.files)}"))
        self.files.append({"offset": offset, "events": sent.get("events", []), "url": sent.get("url")})

    def after(self, offset: str | None, count: int) -> list[dict[str, Any]]:
        """The files after an offset, or the earliest. Raises ValueError for an offset that there is none of."""
        begin = 0 if offset is None else [one["offset"] for one in self.files].index(offset) + 1
        return self.files[begin : begin + count]

    def clear(self) -> None:
        """Forgets all."""
        self.files.clear()
