"""Free statements about time: at what age something happened, how long it lasted, and whether it goes on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from revenueflow.domain.dates import Span
from revenueflow.grounding.checks.free.dates import PERSONAL, periods_of, shown
from revenueflow.grounding.free.amounts import Amount
from revenueflow.grounding.free.atom import Atom, atom
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.free.said import Mention, Said
from revenueflow.grounding.free.tables import tables
from revenueflow.grounding.free.timeline import UNION, YEAR_DAYS, Period, Timeline, timeline, years_between

STAGES: Final = {
    "teens": (13, 19), "teen": (13, 19), "teenager": (13, 19), "teenagers": (13, 19), "twenties": (20, 29),
    "thirties": (30, 39), "forties": (40, 49), "fifties": (50, 59), "sixties": (60, 69), "seventies": (70, 79),
    "eighties": (80, 89), "nineties": (90, 99),
}  # fmt: skip
STAGE: Final = re.compile(
    r"\b(?:his|her|their)\s+(?:(?P<part>early|mid|late)[\s-]+)?(?P<stage>[2-9]0['’]?s|"
    + "|".join(STAGES)
    + r")(?!\w)|\b(?P<only>teens|teenager)\b"
)
PARTS: Final = {None: (0, 9, 0, 9), "early": (0, 3, 0, 4), "mid": (4, 6, 3, 7), "late": (7, 9, 6, 9)}
AGE: Final = re.compile(
    r"(?:\bat (?:the )?(?:ripe |old |young )?(?:age of |age )?|\bthe age of |\baged? (?:of )?|\bturn(?:ing|ed) "
    r"|\b(?:was|were) (?:only |just )?|\bto be |\buntil (?:age |the age of )?|\bbefore (?:age |the age of )?"
    r"|\breached )(?:(?:over|under|about|around|almost|nearly|more than|less than) )?(?P<age>\d{1,3})"
    r"(?: years? old| years? of age)?(?=\W*(?:$|[.,;]|when|and|in|for|as|at|on|by|due|after|with))"
)
BEFORE: Final = re.compile(r"\b(?:before|under|less than)\b[^.]{0,24}$")
AFTER: Final = re.compile(r"\b(?:after|over|more than|past)\b[^.]{0,24}$")
YEARS: Final = frozenset({"year", "years", "yrs"})
ACTIVITY: Final = "activity"
AGED: Final = frozenset({"since", "at", "when", "was", "were", "until", "he", "she", "they", "before", "after"})


def ages(said: Said, leaves: Leaves) -> Iterator[Atom]:
    """Ages at events: "died at the age of 60", "started acting in her twenties", "when he was 18"."""
    times = timeline(leaves)
    if times.born is None or said.denies or said.of_others:
        return
    for start, end, low, high, wide_low, wide_high in (*_stages(said), *_ages(said)):
        mention, at = _event_of(said, times)
        if at is None:
            continue
        holds = True if low <= at[0] and at[1] <= high else (False if at[1] < wide_low or at[0] > wide_high else None)
        first = said.place(start)
        lead = (place for place in range(max(0, first - 4), first) if said.words[place] in AGED)
        words = (*range(first, said.place(end)), *lead)
        phrase = range(mention.start, mention.end) if mention else ()
        ground = [
            period.leaf
            for name in ("birth", mention.event if mention else "death")
            for period in times.events.get(name, ())
        ]
        yield from atom("ages", holds, (*words, *phrase), ground, expected=said.text[start:end], found=list(at))


Age = tuple[int, int, float, float, float, float]


def _stages(said: Said) -> Iterator[Age]:
    for match in STAGE.finditer(said.text):
        name = (match["stage"] or match["only"]).casefold()
        first, last = STAGES.get(name) or (int(name[:2]), int(name[:2]) + 9)
        if first == 13:
            yield match.start(), match.end(), first, last, first - 2, last
            continue
        low, high, wide_low, wide_high = PARTS[match["part"]]
        yield match.start(), match.end(), first + low, first + high, first + wide_low, first + wide_high


def _ages(said: Said) -> Iterator[Age]:
    for match in AGE.finditer(said.text):
        age = float(match["age"])
        phrase = said.text[max(0, match.start() - 12) : match.start("age")].casefold()
        if re.search(r"\b(?:about|around|almost|nearly)\b", phrase):
            yield match.start(), match.end(), age - 1, age + 1, age - 3, age + 3
        elif BEFORE.search(phrase):
            yield match.start(), match.end(), 0, age - 1, 0, age - 1
        elif AFTER.search(phrase):
            yield match.start(), match.end(), age, 999, age, 999
        else:
            yield match.start(), match.end(), age, age, age, age


def _event_of(said: Said, times: Timeline) -> tuple[Mention | None, tuple[int, int] | None]:
    """The event that the age is given for, with the fewest and most years that the evidence gives it."""
    assert times.born is not None
    if said.has(*tables().states.lived):
        return None, times.age_at_death
    mentions = [one for one in said.mentions if one.event not in ("birth", "any")]
    if len(mentions) != 1:
        return None, None
    mention = mentions[0]
    if mention.event == "death":
        return mention, times.age_at_death
    items = periods_of(times, mention, said) if mention.event == UNION else times.events.get(mention.event, ())
    if not items or (
        mention.role == "lasts"
        and not said.has("since", "since his", "since her", "since their", "since he", "since she")
    ):
        return None, None
    when = items[-1].end if mention.role == "ends" else items[0].start
    return mention, years_between(times.born, when) if when else None


def durations(said: Said, leaves: Leaves) -> Iterator[Atom]:
    """How long: "active for over 20 years", "less than a decade", "138 years old"."""
    if said.denies:
        return
    times = timeline(leaves)
    for amount in said.amounts:
        mention = _lasting(said, amount) if amount.unit in YEARS else None
        if mention is None or (mention.event in PERSONAL and said.of_others):
            continue
        items = periods_of(times, mention, said)
        lengths = _lengths(mention, items, times)
        yield from atom(
            "durations",
            _agree(
                [amount.holds(low, high) if not amount.plain else _exactly(amount, low, high) for low, high in lengths]
            ),
            (
                *range(said.place(amount.start), said.place(amount.end) + 1),
                *range(mention.start, mention.end),
                *_ago(said),
            ),
            (period.leaf for period in items),
            expected=said.text[amount.start : amount.end].strip(),
            found=[shown(period) for period in items],
        )


def _agree(answers: list[bool | None]) -> bool | None:
    """Several ways to count: all must say the same."""
    return answers[0] if answers and len(set(answers)) == 1 else None


def _exactly(amount: Amount, low: float, high: float) -> bool | None:
    """People count years by the calendar or by birthdays: a year more or less is no contradiction."""
    if high < amount.low - 1 or low > amount.low + 1:
        return False
    return True if low - 0.01 <= amount.low <= high + 0.01 and high - low <= 2.1 else None


def _lasting(said: Said, amount: Amount) -> Mention | None:
    if said.has(*tables().states.lived) or _is_age(said, amount):
        return None
    mentions = said.mentions
    ago = said.words[said.place(amount.end) + 1 : said.place(amount.end) + 2] == ("ago",)
    if ago:
        return next((one for one in mentions if one.role == "says"), None)
    lasting = [one for one in mentions if one.role == "lasts"]
    known = {one.event for one in lasting} - {"any"}
    if len(known) > 1 or any(one.role != "lasts" for one in mentions):
        return None
    return next((one for one in lasting if one.event != "any"), lasting[0] if lasting else None)


def _is_age(said: Said, amount: Amount) -> bool:
    """ "Since she was 14 years old", "at 20 years old": an age, but "is 20 years old" is a length."""
    place, end = said.place(amount.start), said.place(amount.end)
    if "old" not in said.words[end : end + 3] and "age" not in said.words[end : end + 3]:
        return False
    return not AGED.isdisjoint(said.words[max(0, place - 4) : place])


def _ago(said: Said) -> Iterable[int]:
    return (place for place, word in enumerate(said.words) if word in ("ago", "for", "old"))


def _lengths(mention: Mention, items: tuple[Period, ...], times: Timeline) -> list[tuple[float, float]]:
    """The years by all ways to count: since the start, first to last day, and all periods taken together."""
    if not items:
        return []
    if mention.role == "says" or mention.event == "any":
        return [_years(items[0].start, times.today)] if mention.event != "any" or items[0].point else []
    if mention.event not in times.events:
        return [_years(items[0].start, times.today)]
    each = [_years(item.start, item.end or times.today) for item in items]
    whole = _years(items[0].start, items[-1].end or times.today)
    return [whole, (sum(low for low, _ in each), sum(high for _, high in each))]


def _years(first: Span, last: Span) -> tuple[float, float]:
    low = max(0, (last.first - first.last).days) / YEAR_DAYS
    return low, (last.last - first.first).days / YEAR_DAYS


def going_on(said: Said, leaves: Leaves) -> Iterator[Atom]:
    """Alive or dead, active or retired, with a break or without."""
    times = timeline(leaves)
    if not said.of_others:
        yield from _alive(said, times)
    items = times.events.get(ACTIVITY, ())
    if not items:
        return
    ground, words = [period.leaf for period in items], tables().states
    found = [shown(period) for period in items]
    for phrases, holds in ((words.still, items[-1].end is None), (words.stopped, items[-1].end is not None)):
        if said.has(*phrases) and not (said.denies and phrases is words.still):
            yield from atom(ACTIVITY, holds, _tokens(said, phrases), ground, found=found, doubt=0.05)
    if said.has(*tables().states.unbroken):
        yield from atom(
            ACTIVITY, len(items) == 1, _tokens(said, tables().states.unbroken), ground, found=found, doubt=0.05
        )


def _alive(said: Said, times: Timeline) -> Iterator[Atom]:
    dead = times.leaves_of.get("death", ())
    living = times.age is not None and not dead
    ground = [*dead, *times.leaves_of.get("birth", ())]
    if said.has(*tables().states.alive) and (dead or living) and not said.denies:
        yield from atom("alive", living, _tokens(said, tables().states.alive), ground)
    elif living and not said.denies:
        gone = [one for one in said.mentions if one.event == "death" and not said.has("near death", "death of")]
        for mention in gone[:1]:
            yield from atom("alive", False, range(mention.start, mention.end), ground)


def _tokens(said: Said, phrases: Iterable[str]) -> Iterator[int]:
    wanted = {word for phrase in phrases if said.has(phrase) for word in phrase.split()}
    return (place for place, word in enumerate(said.words) if word in wanted)
