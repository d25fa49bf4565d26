"""The header: which column is which of our fields, by the table of field names, or as the operator maps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from revenueflow.errors import Fault, InvalidInput
from revenueflow.sources import aliases
from revenueflow.sources.csv.records import cells
from revenueflow.sources.csv.rejects import FORMULA

DELIMITERS = (",", ";", "\t", "|")
IGNORE = "ignore"
CAMPAIGN = "campaign_id"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the operator says: {column: field or "ignore"}, and a campaign for all rows."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    campaign: str | None = None

    def noted(self) -> dict[str, Any]:
        """As it stands in each row, so that another choice for the same file makes other deliveries of it."""
        told: dict[str, Any] = {"map": dict(self.mapping)} if self.mapping else {}
        return told | ({"campaign": self.campaign} if self.campaign else {})


def allowed(config_dir: Path | None = None) -> list[str]:
    """What a column can be mapped to."""
    return [*aliases.names(config_dir), IGNORE]


def checked(mapping: Mapping[str, Any], config_dir: Path | None = None) -> dict[str, str]:
    """The mapping, if it names fields of ours. Raises InvalidInput, which lists the allowed ones."""
    fields = allowed(config_dir)
    if any(one not in fields for one in mapping.values()):
        where = f"must map a column to one of: {', '.join(fields)}"
        raise InvalidInput(f"the mapping {where}", faults=(Fault("/map", where),))
    return {name.strip(): str(one) for name, one in mapping.items()}


class Columns:
    """The columns of one file.

    Raises InvalidInput if none is known, or if the mapping names one that is not there. A column without a name, or
    whose name was there before, is called by its number.
    """

    def __init__(self, header: Sequence[str], choice: Choice, config_dir: Path | None = None) -> None:
        given = [name.strip().replace("\0", "") for name in header]
        _must_be_there(choice.mapping, given)
        self.names = _distinct(given)
        self._campaign = choice.campaign
        self._first_names = aliases.names(config_dir)
        ranked: dict[str, list[tuple[int, int]]] = {}
        for at, name in enumerate(given):
            rank = (-1, choice.mapping[name]) if name in choice.mapping else _known(name, config_dir)
            if rank and rank[1] != IGNORE:
                ranked.setdefault(rank[1], []).append((rank[0], at))
        self.fields = {known: [at for _, at in sorted(places)] for known, places in ranked.items()}
        if not self.fields:
            fault = Fault("/0", "must name at least one known column, such as email, name or company")
            raise InvalidInput("the first line is no header that we know", faults=(fault,))

    def understand(self, row: Sequence[str], config_dir: Path | None = None) -> aliases.Understood:
        """The row in our words: of several columns for one field the first that says something counts."""
        payload: dict[str, object] = {}
        for known, places in self.fields.items():
            said = next((row[at] for at in places if at < len(row) and row[at].strip()), None)
            if said is not None:
                payload[self._first_names[known]] = _unescaped(said)
        if self._campaign:
            payload[self._first_names[CAMPAIGN]] = self._campaign
        return aliases.understand(payload, config_dir)

    def record(self, row: Sequence[str]) -> dict[str, str]:
        """The row as it was given. Cells beyond the header are called by their number."""
        beyond = range(len(self.names) + 1, len(row) + 1)
        return dict(zip([*self.names, *(f"column {number}" for number in beyond)], row, strict=False))

    def plan(self) -> list[dict[str, str | None]]:
        """Each column, and the field that it goes to."""
        to = {at: known for known, places in self.fields.items() for at in places}
        return [{"column": name, "field": to.get(at)} for at, name in enumerate(self.names)]


def says_nothing(understood: aliases.Understood) -> bool:
    """Whether no field of the lead is known."""
    return not any(understood.form.model_dump(exclude_none=True).values()) and understood.source_id is None


def delimiter_of(header: str, choice: Choice, config_dir: Path | None = None) -> str:
    """What parts the cells of a header: what gives the most columns that we know, then the most columns."""

    def worth(delimiter: str) -> tuple[int, int]:
        found = [name.strip() for name in cells(header, delimiter)]
        return sum(name in choice.mapping or _known(name, config_dir) is not None for name in found), len(found)

    return max(DELIMITERS, key=worth)


def _known(name: str, config_dir: Path | None) -> tuple[int, str] | None:
    found = aliases.known(name, config_dir)
    return (found[1], found[0]) if found else None


def _must_be_there(mapping: Mapping[str, str], given: Sequence[str]) -> None:
    if any(name not in given for name in mapping):
        where = "must name columns that the file's header has"
        raise InvalidInput(f"the mapping {where}", faults=(Fault("/map", where),))


def _distinct(given: Sequence[str]) -> list[str]:
    names: list[str] = []
    taken: set[str] = set()
    for number, name in enumerate(given, 1):
        own = name if name and name not in taken else f"column {number}"
        taken.add(own)
        names.append(own)
    return names


def _unescaped(cell: str) -> str:
    """Without the apostrophe that we, and spreadsheets, put before a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip(" ").startswith(FORMULA) else cell
