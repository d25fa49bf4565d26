"""How statements speak of what records hold: defaults/free_statements.toml."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Annotated

from pydantic import Field

from revenueflow import defaults
from revenueflow.domain.base import Value
from revenueflow.domain.phrases import PhraseIndex, words
from revenueflow.grounding.free.bindings import Binding
from revenueflow.settings import General, Settings

Key = tuple[str, ...]


class Event(Value):
    """What happens once, or lasts. `without` names the event that stands in where a record has none of the keys."""

    keys: tuple[str, ...]
    says: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    lasts: tuple[str, ...] = ()
    without: str | None = None


class Lasting(Value):
    """Phrases that ask how long something is."""

    says: tuple[str, ...]


class Listed(Value):
    """A field with several values: its keys, the nouns that name its values, and those that name only some."""

    keys: tuple[str, ...]
    nouns: tuple[str, ...]
    parts: tuple[str, ...] = ()


class Role(Value):
    """A field with names: `verbs` stand before "by" and a name, `says` right before a name, `nouns` name its holder."""

    keys: tuple[str, ...]
    verbs: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()
    says: tuple[str, ...] = ()


class Measure(Value):
    """A field with numbers. `kind` is "money", "count" (of `nouns`), or a table of units."""

    keys: tuple[str, ...]
    kind: str
    says: tuple[str, ...]
    nouns: tuple[str, ...] = ()


class Difference(Value):
    """Two measures, and the phrases that say which of them is the larger one."""

    first: str
    second: str
    above: tuple[str, ...]
    below: tuple[str, ...]


class ValueKind(Value):
    """Known values of fields, in groups that don't deny each other. `closed`: what is not in the field is denied.

    `synonyms`: the values of a group mean the same.
    """

    keys: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    closed: bool = False
    synonyms: bool = False
    near: frozenset[str] = frozenset()


class Located(Value):
    """Fields that hold a place, and the phrases that speak of it."""

    keys: tuple[str, ...]
    says: frozenset[str]


class Described(Value):
    """What a thing may be called that has one of these fields."""

    keys: tuple[str, ...]
    nouns: tuple[str, ...]


class Counting(Value):
    """Words around a count."""

    adjectives: frozenset[str]
    several: tuple[str, ...]
    sole: frozenset[str]
    none: tuple[str, ...]
    narrowing: frozenset[str]
    same: tuple[str, ...]


class Words(Value):
    """Small words that bind: comparisons in time, denials, doubts, and what carries no fact."""

    present: frozenset[str]
    before: tuple[str, ...]
    after: tuple[str, ...]
    since: tuple[str, ...]
    until: tuple[str, ...]
    by: tuple[str, ...]
    within: tuple[str, ...]
    others: frozenset[str]
    denials: frozenset[str]
    doubts: frozenset[str]
    styles: frozenset[str]
    released: frozenset[str]
    empty: frozenset[str]
    subject_nouns: frozenset[str]
    strong: frozenset[str]

    @cached_property
    def order(self) -> PhraseIndex:
        """The comparisons in time."""
        names = ("before", "after", "since", "until", "by", "within")
        return PhraseIndex.of({name: getattr(self, name) for name in names})


class States(Value):
    """Turns of phrase for what goes on, has ended, or is the same."""

    lived: tuple[str, ...]
    alive: tuple[str, ...]
    still: tuple[str, ...]
    stopped: tuple[str, ...]
    unbroken: tuple[str, ...]
    same: tuple[str, ...]
    different: tuple[str, ...]


class FreeStatements(Value):
    """All of it. Load with `defaults.load(FreeStatements, FILE, config_dir)`."""

    version: int
    absent: Annotated[float, Field(ge=0, le=1)]
    subject_keys: tuple[str, ...]
    events: dict[str, Event]
    lasting: Lasting
    lists: dict[str, Listed]
    roles: dict[str, Role]
    units: dict[str, dict[str, float]]
    measures: dict[str, Measure]
    differences: dict[str, Difference]
    kinds: dict[str, ValueKind]
    places: dict[str, Located]
    regions: dict[str, frozenset[str]]
    countries: dict[str, tuple[str, ...]]
    demonyms: dict[str, tuple[str, ...]]
    bindings: dict[str, Binding] = Field(default_factory=dict)
    described: dict[str, Described]
    counting: Counting
    states: States
    words: Words
    numbers: dict[str, int] = Field(default_factory=dict)

    @cached_property
    def event_phrases(self) -> PhraseIndex:
        """Phrases to "event.role", where the role is says, ends or lasts."""
        entries = [(phrase, f"{name}.says") for name, event in self.events.items() for phrase in event.says]
        entries += [(phrase, f"{name}.ends") for name, event in self.events.items() for phrase in event.ends]
        entries += [(phrase, f"{name}.lasts") for name, event in self.events.items() for phrase in event.lasts]
        return PhraseIndex([*entries, *((phrase, "any.lasts") for phrase in self.lasting.says)])

    @cached_property
    def list_nouns(self) -> PhraseIndex:
        """Nouns to lists that they may count; where two lists share one, to both: "a|b"."""
        found: dict[Key, list[str]] = {}
        for name, listed in self.lists.items():
            for noun in (*listed.nouns, *listed.parts):
                found.setdefault(words(noun), []).append(name)
        return PhraseIndex((" ".join(noun), "|".join(names)) for noun, names in found.items())

    @cached_property
    def list_keys(self) -> dict[Key, str]:
        """The words of whole keys, to lists."""
        return {words(key): name for name, listed in self.lists.items() for key in listed.keys}

    @cached_property
    def role_phrases(self) -> PhraseIndex:
        """Phrases to "role.kind", where the kind is verbs, nouns or says."""
        kinds = ("verbs", "nouns", "says")
        return PhraseIndex(
            (phrase, f"{name}.{kind}")
            for name, role in self.roles.items()
            for kind in kinds
            for phrase in getattr(role, kind)
        )

    @cached_property
    def role_keys(self) -> dict[Key, str]:
        """The words of whole keys, to roles."""
        return {words(key): name for name, role in self.roles.items() for key in role.keys}

    @cached_property
    def measure_keys(self) -> dict[Key, str]:
        """The words of whole keys, to measures."""
        return {words(key): name for name, measure in self.measures.items() for key in measure.keys}

    @cached_property
    def measure_phrases(self) -> PhraseIndex:
        """Phrases to the measures that they may speak of: "a|b"."""
        found: dict[Key, list[str]] = {}
        for name, measure in self.measures.items():
            for phrase in measure.says:
                found.setdefault(words(phrase), []).append(name)
        return PhraseIndex((" ".join(phrase), "|".join(names)) for phrase, names in found.items())

    @cached_property
    def unit_words(self) -> dict[Key, tuple[str, float]]:
        """The words of a unit, to its kind and its size in the base unit."""
        return {words(unit): (kind, size) for kind, units in self.units.items() for unit, size in units.items()}

    @cached_property
    def kind_values(self) -> dict[str, PhraseIndex]:
        """For each kind, its values to the number of their group."""
        return {
            name: PhraseIndex((value, str(number)) for number, group in enumerate(kind.values) for value in group)
            for name, kind in self.kinds.items()
        }

    @cached_property
    def place_keys(self) -> dict[Key, str]:
        """The words of whole keys, to places."""
        return {words(key): name for name, place in self.places.items() for key in place.keys}

    @cached_property
    def no_values(self) -> frozenset[Key]:
        """Values that say there is none."""
        return frozenset(map(words, self.counting.none))

    @cached_property
    def part_nouns(self) -> frozenset[Key]:
        """Nouns for some values of a list."""
        return frozenset(words(noun) for listed in self.lists.values() for noun in listed.parts)

    @cached_property
    def nouns_by_key(self) -> dict[Key, frozenset[str]]:
        """The words of whole keys, to what has such a field may be called."""
        found: dict[Key, frozenset[str]] = {}
        for described in self.described.values():
            for key in map(words, described.keys):
                found[key] = found.get(key, frozenset()).union(*map(words, described.nouns))
        return found

    @cached_property
    def peoples(self) -> frozenset[Key]:
        """Demonyms, as words."""
        return frozenset(words(name) for names in self.demonyms.values() for name in names)

    @cached_property
    def origin_nouns(self) -> frozenset[str]:
        """What has an origin: who is "an American singer" is from there, a restaurant need not be."""
        described = (noun for one in self.described.values() for noun in one.nouns)
        occupations = (value for group in self.kinds["occupation"].values for value in group)
        return self.words.subject_nouns.union(*map(words, described), *map(words, occupations))

    @cached_property
    def keys(self) -> frozenset[Key]:
        """Every key that some table knows: evidence without one says nothing here."""
        named = (self.event_keys, self.list_keys, self.role_keys, self.measure_keys, self.place_keys)
        of_kinds = (words(key) for kind in self.kinds.values() for key in kind.keys)
        return frozenset(key for table in named for key in table).union(of_kinds)

    @cached_property
    def subjects(self) -> frozenset[Key]:
        """The words of the keys that name what a record is about."""
        return frozenset(words(key) for key in self.subject_keys)

    @cached_property
    def event_keys(self) -> dict[Key, str]:
        """The words of whole keys, to events."""
        return {words(key): name for name, event in self.events.items() for key in event.keys}


FILE = "free_statements.toml"


@cache
def tables() -> FreeStatements:
    """Those of this process (`REVENUEFLOW_CONFIG_DIR`, else ours), loaded once: a change needs a restart."""
    return defaults.load(FreeStatements, FILE, Settings.only(General).config_dir)
