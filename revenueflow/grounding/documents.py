"""Evidence of any form: a document as pieces with signals, so that typed claims find the values they are about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Final, NamedTuple, cast
from uuid import UUID, uuid5

from jsonpath import JSONPathEnvironment, JSONPathError
from pydantic import JsonValue

from revenueflow.domain.claim import Citation, Claim, ClaimField
from revenueflow.domain.evidence import Evidence, Signal, Trust
from revenueflow.domain.phrases import words
from revenueflow.grounding.fields import FIELDS
from revenueflow.grounding.free.leaves import key_words
from revenueflow.grounding.free.table import singular
from revenueflow.grounding.rules import GroundingRules

NAMESPACE: Final = UUID("5a8c1f0e-5f27-5c0b-9c41-0f1d9a7be0c5")
UNDATED: Final = datetime(2000, 1, 1, tzinfo=UTC)
PATHS: Final = JSONPathEnvironment(strict=True)
NAMING: Final = ("signal", "field", "attribute", "key")
"""Keys beside "value" that say what it is a value of."""
PROSE: Final = 5
"""From so many words on a text is prose, in which anything may be said."""


class Document(NamedTuple):
    """One answer of a provider: any JSON, or a text. With a `signal` it is one fact, and `path` where it was read."""

    id: str
    provider: str
    data: JsonValue
    trust: Trust = Trust.VENDOR
    signal: Signal | None = None
    path: str = "$"
    fetched_at: datetime = UNDATED


class Wanted(NamedTuple):
    """A claim about documents, before its citations are bound to pieces. `field` is any text, or none."""

    id: str
    field: str | None
    value: JsonValue
    statement: str
    citations: tuple[Citation, ...] = ()


class Documents:
    """The pieces of some documents. A piece's id is that of its document, with the path to it where it is a part."""

    def __init__(self, documents: Iterable[Document], rules: GroundingRules) -> None:
        self._documents = {document.id: document for document in documents}
        self._rules = rules
        self.evidence: dict[str, Evidence] = {}
        self._typed: dict[str, list[str]] = {name: [] for name in self._documents}
        for document in self._documents.values():
            self._add(document.id, document, document.signal or Signal.DESCRIPTION, document.data, document.path)
            for path, signal, value in () if document.signal else _signals(document.data, self._keys):
                self._typed[document.id].append(self._add(document.id + path[1:], document, signal, value, path))

    def bound(self, claim: Wanted) -> Claim:
        """The claim with citations of pieces; one without citations cites all documents."""
        field = self.field(claim.field)
        given = claim.citations or tuple(Citation(evidence_id=name) for name in self._documents)
        bound = [cited for citation in given for cited in self._cited(citation, field)]
        return Claim(
            id=claim.id, field=field, value=claim.value, statement=_statement(claim, field), citations=tuple(bound)
        )

    def field(self, name: str | None) -> ClaimField:
        """The field of this name, or the one whose values stand under keys of this name; else `other`."""
        if name in set(ClaimField):
            return ClaimField(name)
        signal = self._keys.get(_joined(name or ""))
        return next((field for field in FIELDS if signal in FIELDS[field].signals), ClaimField.OTHER)

    @cached_property
    def _keys(self) -> Mapping[str, Signal]:
        known = {_joined(signal.value): signal for signal in Signal}
        return known | {_joined(key): signal for signal, keys in self._rules.statements.keys.items() for key in keys}

    def _cited(self, citation: Citation, field: ClaimField) -> Iterator[Citation]:
        document = self._documents.get(citation.evidence_id)
        if document is None:
            yield Citation(evidence_id=citation.evidence_id)
            return
        places = _places(None if citation.json_path == document.path else citation.json_path, document.data)
        if not places:
            nowhere = self._add(f"{document.id} ", document, Signal.DESCRIPTION, None, "")
            yield Citation(evidence_id=nowhere, json_path=citation.json_path)
            return
        whole = self._piece(document, places, citation.json_path)
        yield Citation(evidence_id=whole, quote=citation.quote)
        if field is not ClaimField.OTHER:
            inside = tuple(document.id + place[1:] for place, _ in places)
            yield from (
                Citation(evidence_id=name)
                for name in self._typed[document.id]
                if name != whole and name.startswith(inside)
            )

    def _piece(self, document: Document, places: list[tuple[str, JsonValue]], json_path: str | None) -> str:
        """What a path leads to as one piece; several values are a list."""
        place, value = places[0]
        name = document.id + place[1:]
        if len(places) > 1:
            name, value = f"{document.id} {json_path}", [value for _, value in places]
        if name in self.evidence:
            return name
        return self._add(name, document, self._signal_of(place, document), value, place)

    def _signal_of(self, place: str, document: Document) -> Signal:
        """An item of a list is about what the list is about, and so is a part of a fact."""
        if document.signal:
            return document.signal
        above = (self.evidence[name] for name in self._typed[document.id])
        return next((one.signal for one in above if place.startswith(f"{one.path}[")), Signal.DESCRIPTION)

    def _add(self, name: str, document: Document, signal: Signal, value: JsonValue, path: str) -> str:
        self.evidence[name] = Evidence(
            id=uuid5(NAMESPACE, name), provider=document.provider, signal=signal, path=path, value=value,
            fetched_at=document.fetched_at, trust=document.trust,
        )  # fmt: skip
        return name


def _statement(claim: Wanted, field: ClaimField) -> str:
    """The statement; and the value under its key where that is none of our fields."""
    if field is not ClaimField.OTHER or not claim.field or claim.field == field or claim.value is None:
        return claim.statement
    key, said = " ".join(key_words(claim.field)), claim.statement.rstrip(". ")
    if isinstance(claim.value, bool):
        return f"{said}; it has {'' if claim.value else 'no '}{key}."
    items = claim.value if isinstance(claim.value, list) else [claim.value]
    return f"{said}; its {key} is {', '.join(str(item) for item in items)}."


def _joined(key: str) -> str:
    return "".join(map(singular, key_words(key)))


def _signals(value: JsonValue, keys: Mapping[str, Signal]) -> Iterator[tuple[str, Signal, JsonValue]]:
    """The values under keys that tell what they are, and the running texts, with their normalised paths."""
    waiting: list[tuple[str, str, str, JsonValue]] = [("$", "", "", value)]
    while waiting:
        path, above, key, here = waiting.pop()
        signal = keys.get(_joined(f"{above}_{key}")) or keys.get(_joined(key))
        if isinstance(here, dict) and "value" in here:
            named = next((here[name] for name in NAMING if isinstance(here.get(name), str)), key)
            waiting += [
                (f"{path}['{name}']", key, str(named), inner) for name, inner in here.items() if name == "value"
            ]
        elif isinstance(here, dict):
            waiting += [(f"{path}['{name}']", key, name, inner) for name, inner in here.items()]
        elif isinstance(here, list) and any(isinstance(item, dict | list) for item in here):
            waiting += [(f"{path}[{place}]", above, key, inner) for place, inner in enumerate(here)]
        elif path != "$" and (signal is not None or (isinstance(here, str) and len(words(here)) >= PROSE)):
            yield path, signal or Signal.DESCRIPTION, here


def _places(json_path: str | None, data: JsonValue) -> list[tuple[str, JsonValue]]:
    """Where an RFC 9535 path leads, as normalised paths with values. Nowhere, if it is none or names nothing."""
    if json_path is None or json_path.strip() in ("", "$"):
        return [("$", data)]
    if not isinstance(data, dict | list):
        return []
    try:
        found = [(match.path, match.obj) for match in PATHS.finditer(json_path, data) if match.obj is not None]
    except JSONPathError:
        return []
    return cast("list[tuple[str, JsonValue]]", found)
