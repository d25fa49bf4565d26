"""Free statements about places: born in, died in, based in, from; and "in the same country"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from revenueflow.domain.phrases import words
from revenueflow.grounding.free.atom import Atom, atom
from revenueflow.grounding.free.leaves import Leaf, Leaves
from revenueflow.grounding.free.names import Name, names_from
from revenueflow.grounding.free.places import Where, code_of, index, inside, read
from revenueflow.grounding.free.said import Said
from revenueflow.grounding.free.subject import grouped, key_of, subject_words, text_of
from revenueflow.grounding.free.tables import Key, tables

LEADS: Final = frozenset({"in", "from", "at", "near"})
BACK: Final = 5
ADJECTIVES: Final = 2
FOLLOWING: Final = 3
PERSONAL: Final = frozenset({"birth", "death", "home"})
MEMBERS: Final = ("lead singer", "member", "members", "fans", "frontman", "singer of", "drummer", "guitarist of")
SAME: Final = ("same country", "same state", "same city", "same place", "same town")


class Site(NamedTuple):
    """What the fields of one kind of place say."""

    words: Key
    where: Where
    leaves: tuple[Leaf, ...]


class Sites:
    """The places of the evidence by the tables."""

    def __init__(self, leaves: Leaves) -> None:
        self.by_name = {name: _site(group) for name, group in grouped(leaves, tables().place_keys).items()}


def _site(leaves: list[Leaf]) -> Site:
    tokens = tuple(word for leaf in leaves for word in words(text_of(leaf)))
    places = [code_of(key_of(leaf), text_of(leaf)) or read(words(text_of(leaf))) for leaf in leaves]
    countries = frozenset(code for place in places for code in place.countries)
    states = frozenset(code for place in places for code in place.states)
    return Site(tokens, Where(countries, states, bool(countries or states)), tuple(leaves))


def where(said: Said, leaves: Leaves) -> Iterator[Atom]:
    """A place named after "in" or "from", against the field that the words before it speak of."""
    sites = leaves.once(Sites).by_name
    if said.denies or not sites or said.has(*MEMBERS):
        return
    for place, word in enumerate(said.words):
        found = _topic(said, place) if word in LEADS else None
        if found is None or (found[0] in PERSONAL and said.of_others):
            continue
        for name in names_from(said, place + 1)[:1]:
            yield from _placed(sites, found[0], name, {found[1], place})


def _placed(sites: dict[str, Site], topic: str, name: Name, tokens: set[int]) -> Iterator[Atom]:
    """Where a record says nothing of its seat, "from" may be the birth or the home: that agrees, and denies nothing."""
    others = [sites[one] for one in ("birth", "home") if topic == "base" and one in sites]
    known = [sites[topic]] if topic in sites else others
    answers = [inside(_bare(name.words), site.words, site.where) for site in known]
    holds = True if any(answers) else (answers[0] if topic in sites else None)
    leaves = [leaf for site in known for leaf in site.leaves]
    yield from atom(
        "places", holds, (*tokens, *range(name.start, name.end)), leaves,
        expected=" ".join(name.words), found=[text_of(leaf) for leaf in leaves], doubt=0.05,
    )  # fmt: skip


def _bare(name: Key) -> Key:
    return name[1:] if len(name) > 1 and name[0] == "the" else name


def _topic(said: Said, place: int) -> tuple[str, int] | None:
    """The kind of place that the words before speak of, and the word that says so."""
    for before in range(place, max(0, place - BACK) - 1, -1):
        for name, located in tables().places.items():
            if said.words[before] in located.says:
                return name, before
    return None


def people(said: Said, leaves: Leaves) -> Iterator[Atom]:
    """ "An American band": the country of a people must be one that the record names."""
    sites = leaves.once(Sites).by_name
    every = frozenset(code for site in sites.values() for code in site.where.all)
    if said.denies or not every:
        return
    own = subject_words(leaves)
    ground = [leaf for site in sites.values() for leaf in site.leaves]
    for hit in index().find(said.words):
        first, place = said.tokens[hit.start], range(hit.start, hit.start + hit.length)
        kind, _, code = hit.canonical.partition(":")
        if kind != "region" and first.written[:1].isupper() and first.word not in own and _of_origin(said, place):
            following = said.words[place.stop : place.stop + FOLLOWING]
            agrees = code[:2] in every
            holds = agrees if agrees or not tables().origin_nouns.isdisjoint(following) else None
            yield from atom("people", holds, place, ground, expected=first.word, found=sorted(every), doubt=0.08)


def _joined(said: Said, place: range) -> bool:
    """True within "Belgian-American": who is both is not surely from either."""
    before, after = said.tokens[place.start - 1 : place.start], said.tokens[place.stop : place.stop + 1]
    first, last = said.tokens[place.start].start, said.tokens[place.stop - 1].end
    hyphens = (said.text[one.end : first] for one in before), (said.text[last : one.start] for one in after)
    return any(gap in ("-", "–", "/") for gaps in hyphens for gap in gaps)


def _of_origin(said: Said, place: range) -> bool:
    """True for "an American band" and "a famous American band"; not for "an Italian restaurant"."""
    lists = tables().words
    if not lists.styles.isdisjoint(said.words[place.stop : place.stop + 2]) or _joined(said, place):
        return False
    for before in range(place.start - 1, max(0, place.start - 1 - ADJECTIVES) - 1, -1):
        if said.words[before] in ("a", "an"):
            return True
        if said.words[before] in lists.empty:
            return False
    return False


def together(said: Said, leaves: Leaves) -> Iterator[Atom]:
    """Born and died "in the same country", or state."""
    sites = leaves.once(Sites).by_name
    spoken = [
        name
        for name, located in tables().places.items()
        if name in sites and name != "base" and not located.says.isdisjoint(said.words)
    ]
    phrase = next((one for one in SAME if said.has(one)), None)
    unlike = said.has("different countries", "different states")
    if len(spoken) != 2 or said.denies or said.of_others or (phrase is None and not unlike):
        return
    one, other = (sites[name] for name in spoken)
    apart = _apart(
        one.where,
        other.where,
        by_state="state" in (phrase or "different states" if said.has("different states") else phrase or ""),
    )
    if apart is None or (phrase in ("same city", "same town", "same place") and not apart):
        return
    yield from atom("places", apart is unlike, (), (*one.leaves, *other.leaves), doubt=0.05)


def _apart(one: Where, other: Where, *, by_state: bool) -> bool | None:
    if one.all and other.all and not one.all & other.all:
        return True
    if one.states and other.states and not one.states & other.states:
        return True if by_state else (None if "GB" in one.all else False)
    if by_state or "GB" in one.all & other.all:
        return False if one.states and one.states == other.states else None
    return False if len(one.all) == 1 and one.all == other.all else None
