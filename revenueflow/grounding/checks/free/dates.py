"""Free statements about time: when something happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from revenueflow.domain.dates import Dated, Span
from revenueflow.grounding.free.atom import Atom, atom
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.free.said import Mention, Said
from revenueflow.grounding.free.tables import tables
from revenueflow.grounding.free.timeline import UNION, Period, Timeline, timeline

PERSONAL: Final = frozenset({"birth", "death"})
NEAR: Final = 3
OPENING: Final = 4
LASTING: Final = ("activity", "founding", "release")


class Bound(NamedTuple):
    """A date of a statement: which event it dates, and how it stands to it."""

    mention: Mention
    relation: str
    dated: Dated
    until: Dated | None = None


def when(said: Said, leaves: Leaves) -> Iterator[Atom]:
    """Dates of events: in, before, after, since, until, between."""
    if said.denies:
        return
    times = timeline(leaves)
    for bound in _bindings(said):
        if bound.mention.event in PERSONAL and said.of_others:
            continue
        items = periods_of(times, bound.mention, said)
        answers = [_holds(bound, period, times) for period in items]
        yield from atom(
            "dates",
            either(answers),
            _tokens(said, bound),
            (period.leaf for period in items),
            expected=said.text[bound.dated.start : bound.dated.end],
            found=[shown(period) for period in items],
        )


def either(answers: list[bool | None]) -> bool | None:
    """Several values: one that agrees is enough, and all must disagree."""
    if not answers:
        return None
    return True if any(answers) else (None if None in answers else False)


def periods_of(times: Timeline, mention: Mention, said: Said) -> tuple[Period, ...]:
    """The periods that a mention speaks of: those with somebody whom the statement names, where it names one."""
    if mention.event == UNION:
        unions = times.events.get(UNION, ())
        named = tuple(
            period for period in unions if not times.own.issuperset(period.name) and _names(said, period, times)
        )
        return named or (unions if len(unions) == 1 else ())
    if mention.event == "any":
        return next((found for name in LASTING if (found := times.events.get(name))), ())
    return times.of(mention.event)


def _names(said: Said, period: Period, times: Timeline) -> bool:
    return any(word in said.words for word in period.name if len(word) > 2 and word not in times.own)


def _bindings(said: Said) -> Iterator[Bound]:
    found = said.dates
    skip = False
    for place, dated in enumerate(found):
        if skip:
            skip = False
            continue
        mention = _mention_for(said, dated)
        following = found[place + 1] if place + 1 < len(found) else None
        if mention is None:
            continue
        joined = following is not None and said.text[dated.end : following.start].strip().casefold() in (
            "to", "and", "until", "-", "through", "till", "to the", "and the",
        )  # fmt: skip
        skip = joined
        yield Bound(mention, _relation(said, dated), dated, following if joined else None)


def _mention_for(said: Said, dated: Dated) -> Mention | None:
    """The last event before the date; the only one of the sentence, if the date opens it ("In 1990, …")."""
    mentions = [one for one in said.mentions if not (one.role == "lasts" and one.event == "any")] or list(said.mentions)
    place = said.place(dated.start)
    before = next((one for one in reversed(mentions) if one.end <= place), None)
    if not mentions and said.words[place - 1 : place] in (("a",), ("an",)) and said.titled(place):
        return Mention("release", "says", place - 1, place)
    return before or (mentions[0] if len(mentions) == 1 and place <= OPENING else None)


def _relation(said: Said, dated: Dated) -> str:
    place = said.place(dated.start)
    hits = tables().words.order.find(said.words[max(0, place - NEAR) : place])
    names = [hit.canonical for hit in hits if hit.canonical != "within"]
    return names[-1] if names else "within"


def _tokens(said: Said, bound: Bound) -> Iterable[int]:
    last = bound.until or bound.dated
    first_place, end_place = said.place(bound.dated.start), said.place(last.end)
    lead = range(max(0, first_place - NEAR), first_place)
    order = tables().words.order
    leading = [
        place for place in lead if order.whole((said.words[place],)) or (bound.until and said.words[place] == "between")
    ]
    return [*range(first_place, end_place), *range(bound.mention.start, bound.mention.end), *leading]


def _holds(bound: Bound, period: Period, times: Timeline) -> bool | None:
    role, relation = bound.mention.role, bound.relation
    if bound.until is not None:
        return _between(bound, period)
    if role == "lasts" and relation != "since":
        return _during(relation, bound.dated, period, times)
    if role == "ends":
        if period.end is None:
            return False
        return _compare(relation, bound.dated, period.end)
    return _compare(relation, bound.dated, period.start)


def _between(bound: Bound, period: Period) -> bool | None:
    assert bound.until is not None
    if bound.dated.yearly or bound.until.yearly:
        return None
    whole = Span(bound.dated.wide.first, bound.until.wide.last)
    if bound.mention.role == "says":
        return True if period.start.within(whole) else (None if period.start.meets(whole) else False)
    starts = bound.dated.holds(period.start)
    ends = False if period.end is None else bound.until.holds(period.end)
    return True if starts and ends else (False if False in (starts, ends) and bound.mention.role == "lasts" else None)


def _during(relation: str, dated: Dated, period: Period, times: Timeline) -> bool | None:
    if dated.yearly:
        return None
    whole = Span(period.start.first, (period.end or times.today).last)
    if relation == "before":
        return (
            True if period.start.last < dated.wide.first else (False if period.start.first > dated.wide.last else None)
        )
    if relation == "after":
        return True if whole.last > dated.wide.last else (False if whole.last < dated.wide.first else None)
    if relation == "until":
        return False if period.end is None or period.end.last < dated.wide.first else dated.holds(period.end)
    if relation == "by":
        return None
    inner = Span(period.start.last, max(period.start.last, (period.end or times.today).first))
    if dated.sure.within(inner):
        return True
    return None if whole.meets(dated.wide) else False


def _compare(relation: str, dated: Dated, span: Span) -> bool | None:
    if relation == "within":
        return dated.holds(span)
    if dated.yearly:
        return None
    if relation == "before":
        return True if span.last < dated.wide.first else (False if span.first >= dated.sure.first else None)
    if relation == "after":
        return True if span.first > dated.wide.last else (False if span.last <= dated.sure.last else None)
    if relation == "since":
        return True if dated.holds(span) else (False if span.first > dated.wide.last else None)
    return True if span.last <= dated.wide.last else (False if span.first > dated.wide.last else None)


def shown(period: Period) -> str:
    """A period as text."""
    end = "…" if period.end is None else _day(period.end)
    return _day(period.start) if period.point else f"{_day(period.start)} - {end}"


def _day(span: Span) -> str:
    if span.first == span.last:
        return span.first.isoformat()
    return str(span.first.year) if span.first.year == span.last.year else f"{span.first.year}-{span.last.year}"
