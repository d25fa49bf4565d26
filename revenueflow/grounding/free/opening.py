"""What a part says about opening hours: on which days, from when to when. Linear in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from revenueflow.grounding.free.week import DAYS, WHOLE_DAY, day_of, minutes

_DAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?s?"
_TIME = r"(?:\d{1,2}(?::\d{1,2})?\s*(?:[ap]\.?\s?m\b\.?)?|noon|midnight|midday)"
_TO = r"(?:-|–|—|to|until|till|through|thru|and(?:\s+(?:it\s+)?clos(?:es|ing)\s+at)?|clos(?:es|ing)\s+at)"
_EXACT = r"(?:\d{1,2}(?::\d{1,2}\s*(?:[ap]\.?\s?m\b\.?)?|\s*[ap]\.?\s?m\b\.?)|noon|midnight|midday)"
TALK: Final = re.compile(r"(?i)\b(?:open(?:s|ed)?|operat\w+|(?<!happy )hours|close[sd]?|closing)\b")
HAPPY: Final = re.compile(r"(?i)\bhappy\s+hours?\b|\bbrunch\b")
SHUT: Final = re.compile(
    r"(?i)(?=\b(?:except|but|while|with the exception|closed|not open|not operat\w+|which is closed)\b|;)"
)
EVENT: Final = re.compile(
    rf"""(?ix)\b(?P<days>{_DAY})\s*(?:-|–|—|to|through|thru|until|till)\s*(?P<last>{_DAY})\b
    | \b(?P<day>{_DAY})\b
    | \b(?P<every>weekdays?|weekends?|daily|every\s?day|all\s+week|all\s+days
        |every\s+day\s+of\s+the\s+week|(?:seven|7)\s+days(?:\s+(?:a|per)\s+week)?)\b
    | (?P<always>\b24\s*(?:hours|/7)|\b24-hours?|\baround\s+the\s+clock)
    | (?<![\d$.])(?P<from>{_TIME})\s*{_TO}\s*(?P<to>{_TIME})(?![\d%])
    | \b(?:until|till|to|closes\s+at|closing\s+at)\s+(?P<until>{_EXACT})
    """
)
GROUPS: Final = {"weekday": frozenset(range(4)), "weekdays": frozenset(range(4)), "weekend": frozenset((5, 6)),
                 "weekends": frozenset((5, 6))}  # fmt: skip
LONGER: Final = re.compile(
    r"(?i)\b(?:extended|longer|later|additional)\s+(?:opening\s+|business\s+|closing\s+)?(?:hours|times?)\b"
)
LATE: Final = re.compile(r"(?i)\bopen\s+(?:until\s+|till\s+)?late\b")
VARIES: Final = re.compile(r"(?i)\bhours\s+(?:\w+\s+)?(?:vary|varying|differ|depend)|\bvarying\s+(?:\w+\s+)?hours\b")
EVERY_DAY: Final = frozenset(range(7))
EITHER_HALF: Final = WHOLE_DAY // 2


class Clock(NamedTuple):
    """A time of the day in minutes; `vague` where the half of the day is not said ("from 9 to 5")."""

    minutes: int
    vague: bool


class Claimed(NamedTuple):
    """Hours on some days, or on the open ones where `days` is empty. No times: open at all. `closed`: not open."""

    days: frozenset[int]
    opens: Clock | None = None
    closes: Clock | None = None
    closed: bool = False


def claimed_hours(text: str) -> tuple[Claimed, ...]:
    """All that a sentence says about hours; nothing if it does not speak of opening."""
    if not TALK.search(text) or HAPPY.search(text):
        return ()
    varies = VARIES.search(text) is not None
    found: list[Claimed] = []
    for segment in SHUT.split(text):
        events = list(EVENT.finditer(segment))
        shut = re.match(r"(?i)(?:closed|not open|not operat|except|with the exception)", segment) is not None
        made = list(_of_segment([event for event in events if not (varies and _is_time(event))]))
        if not shut or any(claim.opens or claim.closes for claim in made):
            found += made
        elif made:
            found.append(Claimed(made[0].days, closed=True))
        elif segment[:6].lower() == "closed" and found and found[-1].opens is None and not found[-1].closed:
            found[-1] = Claimed(found[-1].days, closed=True)
    return tuple(_without_exceptions(found))


def _of_segment(events: list[re.Match[str]]) -> Iterator[Claimed]:
    """Days belong to the times after them if the segment begins with days, else to those before them."""
    times = [place for place, event in enumerate(events) if _is_time(event)]
    if not times:
        days = frozenset[int]().union(*map(_days, events))
        if days:
            yield Claimed(days)
        return
    days_first = times[0] > 0
    for order, place in enumerate(times):
        before = events[times[order - 1] + 1 if order else 0 : place]
        after = events[place + 1 : times[order + 1] if order + 1 < len(times) else len(events)]
        near = (before or (after if order + 1 == len(times) else [])) if days_first else after
        yield Claimed(frozenset[int]().union(*map(_days, near)), *_times(events[place]))


def _is_time(event: re.Match[str]) -> bool:
    return bool(event["from"] or event["until"] or event["always"])


def _days(event: re.Match[str]) -> frozenset[int]:
    if event["every"]:
        return GROUPS.get(event["every"].lower(), EVERY_DAY)
    first = day_of(event["days"] or event["day"] or "")
    last = day_of(event["last"]) if event["last"] else first
    if first is None or last is None:
        return frozenset()
    return frozenset((first + step) % len(DAYS) for step in range((last - first) % 7 + 1))


def _times(event: re.Match[str]) -> tuple[Clock | None, Clock | None]:
    if event["always"]:
        return Clock(0, vague=False), Clock(WHOLE_DAY, vague=False)
    if event["until"]:
        return None, _clock(event["until"], None)
    return _clock(event["from"], event["to"]), _clock(event["to"], None)


def _clock(text: str, partner: str | None) -> Clock | None:
    """`partner` is the end of the same range: "5-9 pm" says the half of both, perhaps."""
    lowered = text.lower()
    if not lowered[0].isdigit():
        return Clock(0 if lowered == "midnight" else 12 * 60, vague=False)
    half = re.search(r"([ap])\.?\s?m", lowered)
    digits = re.findall(r"\d+", lowered)
    found = minutes(digits[0], digits[1] if len(digits) > 1 else None, half[1] if half else None)
    plain = half is None and ":" not in lowered if partner is None else half is None
    return None if found is None else Clock(found, vague=plain and int(digits[0]) <= 12)


def _without_exceptions(found: list[Claimed]) -> Iterator[Claimed]:
    """ "Every day except Tuesday": what is said of every day is not said of the days that are named after it."""
    for place, claim in enumerate(found):
        later = frozenset[int]().union(*(other.days for other in found[place + 1 :] if not other.days >= claim.days))
        yield claim._replace(days=claim.days - later)
