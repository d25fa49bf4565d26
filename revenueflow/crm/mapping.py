"""Our names and a vendor's: salesforce.toml and hubspot.toml, and the values in both directions.

A value is written so that it can be read back: a write whose answer was lost is settled by comparing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from revenueflow.domain.action import record_key, shared_record_key
from revenueflow.domain.base import Value

Kind = Literal["text", "count", "number", "boolean", "person", "date", "moment", "minor", "owner", "user"]
WHOLE = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF"}
)
THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""Currencies (ISO 4217) whose minor unit is not a hundredth."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_MILLISECONDS = 14
"""Digits: until the year 5138."""


class VendorField(Value):
    """One of our fields at the vendor: its name there, and how the value is written.

    `count` is a number, or a range as text; `person` is a full name, `also` gets the first names; `moment` a time in
    UTC, `also` gets its day, and it may be read as milliseconds since 1970; `minor` an amount in minor units of
    `currency`; `owner` a rep's id of ours, `also` gets the vendor's from the table of owners; `user` a user of the
    vendor's, read as the rep of ours; `boolean`, if true, gives `also` the value of `true`. `values` translates words,
    `longest` cuts.
    """

    to: str
    kind: Kind = "text"
    also: str | None = None
    values: dict[str, str] = Field(default_factory=dict)
    longest: int | None = Field(None, ge=1)
    read_only: bool = False


class Link(Value):
    """The reference to another record of ours: the vendor's name of the relation and of the other type."""

    to: str
    type: str


class VendorObject(Value):
    """One of our record types at the vendor.

    `key` is the unique field with our record key. `missing` fills what the vendor wants at a creation and we don't
    have; `constant` is written always; `fixed` may be set at a creation only. `links`: by our record type. `unique`
    is a field of the vendor's own that no two records share: somebody else's record with our value becomes ours.
    """

    name: str
    key: str
    fields: dict[str, str | VendorField]
    links: dict[Literal["lead", "account"], Link] = Field(default_factory=dict)
    missing: dict[str, str] = Field(default_factory=dict)
    constant: dict[str, str] = Field(default_factory=dict)
    fixed: list[str] = Field(default_factory=list)
    unique: str | None = None

    @cached_property
    def known(self) -> dict[str, VendorField]:
        """Our names, and the whole of each field."""
        return {name: VendorField(to=one) if isinstance(one, str) else one for name, one in self.fields.items()}

    @cached_property
    def asked(self) -> list[str]:
        """The vendor's names of all fields that are read back."""
        more = [one.also for one in self.known.values() if one.kind == "person" and one.also]
        return sorted({*(one.to for one in self.known.values()), *more})


class CrmMap(Value):
    """A vendor's map. `owners`: rep's id of routing.toml -> user id at the vendor."""

    version: str
    objects: dict[str, VendorObject]
    owners: dict[str, str] = Field(default_factory=dict)

    def written(self, object_type: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The vendor's fields, without links; what has no place there is left out."""
        there = self.objects[object_type]
        made: dict[str, Any] = {}
        for name, one in there.known.items():
            if fields.get(name) is not None and not one.read_only:
                made |= self._encoded(one, fields[name], fields)
        return made | there.constant

    def read(self, object_type: str, held: Mapping[str, Any]) -> dict[str, Any]:
        """Our fields, from the vendor's. What is empty there, or not of its kind, is left out."""
        known = self.objects[object_type].known
        currency = next((held.get(one.to) for name, one in known.items() if name == "currency"), None)
        found = {name: _decoded(one, held, currency) for name, one in known.items()}
        found |= {name: self.rep(found[name]) for name, one in known.items() if one.kind == "user"}
        return {name: value for name, value in found.items() if value is not None}

    def normal(self, object_type: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Our fields as they are read back."""
        there = self.objects[object_type]
        kept = {name: fields[name] for name, one in there.known.items() if one.read_only and name in fields}
        return self.read(object_type, self.written(object_type, fields)) | kept

    def links(self, object_type: str, fields: Mapping[str, Any]) -> dict[Link, tuple[str, UUID]]:
        """Each link, the record type that it leads to, and that record's key."""
        found: dict[Link, tuple[str, UUID]] = {}
        for name, link in self.objects[object_type].links.items():
            if name == "lead" and fields.get("lead_id"):
                found[link] = name, record_key(UUID(str(fields["lead_id"])), "lead")
            if name == "account" and fields.get("domain"):
                found[link] = name, shared_record_key("account", fields["domain"])
        return found

    def rep(self, user: Any) -> str | None:
        """The rep of ours that has this user of the vendor's; the user if none has, None if there is none."""
        return self._reps.get(_short(str(user)), str(user)) if user else None

    @cached_property
    def _reps(self) -> Mapping[str, str]:
        return {_short(user): rep for rep, user in reversed(self.owners.items())}

    def _encoded(self, one: VendorField, value: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
        if one.kind == "person":
            first, _, last = str(value).strip().rpartition(" ")
            return {one.to: _cut(last, one)} | ({one.also: first[: one.longest]} if one.also and first else {})
        made = {one.to: _plain(one, value, fields)}
        if one.also and one.kind == "moment":
            made[one.also] = str(value)[:10]
        if one.also and one.kind == "boolean" and value:
            made[one.also] = one.values["true"]
        if one.also and one.kind == "owner" and value in self.owners:
            made[one.also] = self.owners[value]
        return made


def _short(user: str) -> str:
    """Salesforce writes one id with 15 letters, and with 18, of which the last three add nothing."""
    return user[:15] if len(user) == 18 else user


def _plain(one: VendorField, value: Any, fields: Mapping[str, Any]) -> Any:
    if one.kind == "minor":
        amount = Decimal(value) / _units(fields.get("currency"))
        return int(amount) if amount == int(amount) else float(amount)
    if one.kind in ("number", "boolean"):
        return value
    return _cut(one.values.get(str(value), str(value)), one)


def _cut(text: str, one: VendorField) -> str:
    return text[: one.longest]


def _units(currency: Any) -> int:
    return 1 if currency in WHOLE else 1000 if currency in THOUSANDTHS else 100


def _decoded(one: VendorField, held: Mapping[str, Any], currency: Any) -> Any:
    value = held.get(one.to)
    if value is None or value == "":
        return None
    if one.kind == "person":
        return " ".join(str(part) for part in (held.get(one.also or ""), value) if part)
    try:
        return _READERS[one.kind](value) if one.kind in _READERS else _by_table(one, value, currency)
    except (ValueError, InvalidOperation, OverflowError):
        return None


def _by_table(one: VendorField, value: Any, currency: Any) -> Any:
    if one.kind == "minor":
        return int(Decimal(str(value)) * _units(currency))
    ours = {theirs: name for name, theirs in one.values.items()}
    return ours.get(str(value), str(value))


def _moment(value: Any) -> str:
    """As RFC 3339. A vendor may give milliseconds since 1970."""
    text = str(value)
    is_number = text.isascii() and text.isdigit()
    if is_number and len(text) > LONGEST_MILLISECONDS:
        raise ValueError("no time")
    moment = EPOCH + timedelta(milliseconds=int(text)) if is_number else datetime.fromisoformat(text)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    told = aware.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
    return (told.removesuffix(".000000")) + "Z"


def _count(value: Any) -> int | str:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else text


def _boolean(value: Any) -> bool:
    return value if isinstance(value, bool) else str(value).lower() == "true"


def _number(value: Any) -> int:
    return int(Decimal(str(value)))


def _day(value: Any) -> str:
    return str(value)[:10]


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "moment": _moment,
    "count": _count,
    "boolean": _boolean,
    "number": _number,
    "date": _day,
}
