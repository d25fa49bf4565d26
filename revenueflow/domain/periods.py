"""Dates as people write them, absolute and relative; English and German. A period is two ordinals, both included."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from typing import Final, NamedTuple

from revenueflow.domain.date_words import ALSO_WORDS, COUNTS, EARLY, HINTS, MIDDLE, MONTH_OF, ORDINALS, UNITS


class Period(NamedTuple):
    """Days from `low` to `high` (proleptic ordinals), and where the text says so.

    `until`: it said "by" or "until": any earlier day would do. `vague`: a word such as "recently".
    `year_only`: nothing but a year in digits.
    """

    low: int
    high: int
    start: int
    end: int
    until: bool = False
    vague: bool = False
    year_only: bool = False

    def within(self, other: Period) -> bool:
        """True if each day of this one lies in the other, which may be "by" a day. Two deadlines must be the same."""
        if self.until and other.until:
            return self.high == other.high
        return self.high <= other.high and (other.until or other.low <= self.low)

    def apart(self, other: Period) -> bool:
        """True if no day lies in both."""
        return self.high < other.low or other.high < self.low


def _names(table: Iterator[str]) -> str:
    return "|".join(sorted(map(re.escape, table), key=len, reverse=True))


_MONTH = rf"(?P<month>{_names(iter(MONTH_OF))})\b\.?"
_YEAR = r"(?P<year>(?:19|20)\d\d)\b"
_UNIT = rf"(?P<unit>{_names(iter(UNITS))})\b"
_COUNT = rf"(?P<count>\d{{1,3}}|{_names(iter(COUNTS))})"
_PART = (
    r"(?:the\s+)?(?:(?P<part>early|mid(?:dle)?|late|end|(?:beginning|start)(?=\s+of\b)|anfang|mitte|ende)"
    r"(?:\s+(?:of|des|der))?(?:\s+(?:the|den))?[\s-]+)?"
)
_UNTIL = r"(?:(?P<until>by|before|until|till|no\s+later\s+than|bis|spätestens)\s+(?:the\s+|zum\s+)?)?"
_WHICH = (
    r"(?P<which>this|current|next|coming|upcoming|following|last|previous|past|diese[nmrs]?|nächste[nmrs]?|kommende[nmrs]?"
    r"|letzte[nmrs]?|vergangene[nmrs]?|laufende[nmrs]?)"
)
_SOON = r"(?P<soon>asap|as\s+soon\s+as\s+possible|immediately|right\s+away|sofort|so\s+schnell\s+wie\s+möglich)"
_LATELY = r"(?P<lately>recently|lately|just\s+now|kürzlich|vor\s+kurzem|neulich)"

Reader = Callable[[re.Match[str], date], tuple[date, date] | None]


def periods(text: str, anchor: date) -> tuple[Period, ...]:
    """All dates of a text in order; relative ones are counted from `anchor`. Linear in the text."""
    kinds = _kinds(text)
    taken: list[Period] = []
    for pattern, read in _patterns_for(kinds) if kinds else ():
        for match in pattern.finditer(text):
            if all(match.end() <= one.start or one.end <= match.start() for one in taken):
                found = _read(match, anchor, read)
                taken += [found] if found else []
    return tuple(sorted(taken, key=lambda period: period.start))


def _read(match: re.Match[str], anchor: date, read: Reader) -> Period | None:
    try:
        span = read(match, anchor)
    except (ValueError, OverflowError):
        return None
    if span is None:
        return None
    named = match.groupdict()
    low, high = _part(named.get("part"), span[0].toordinal(), span[1].toordinal())
    return Period(
        low,
        high,
        match.start(),
        match.end(),
        until=bool(named.get("until")),
        vague=bool(named.get("lately")),
        year_only=read is _year and not named.get("part"),
    )


def _part(part: str | None, low: int, high: int) -> tuple[int, int]:
    """Early, middle and late are thirds."""
    third = (high - low + 1) // 3
    if not part or not third:
        return low, high
    word = part.lower()
    if word in EARLY:
        return low, low + third
    return (low + third, high - third) if word in MIDDLE else (high - third, high)


def _iso(match: re.Match[str], _: date) -> tuple[date, date] | None:
    year, month, day = int(match["y"]), int(match["m"]), match["d"]
    return (date(year, month, int(day)),) * 2 if day else _month_of(year, month)


def _dotted(match: re.Match[str], _: date) -> tuple[date, date] | None:
    return (date(int(match["year"]), int(match["m"]), int(match["d"])),) * 2


def _day(match: re.Match[str], anchor: date) -> tuple[date, date] | None:
    month = MONTH_OF[match["month"].lower()]
    year = int(match["year"]) if match["year"] else _year_of(month, anchor)
    return (date(year, month, int(match["d"])),) * 2


def _month(match: re.Match[str], anchor: date) -> tuple[date, date] | None:
    month = MONTH_OF[match["month"].lower()]
    if not match["year"] and (match["month"].islower() or (match[0].lower() in ALSO_WORDS)):
        return None
    return _month_of(int(match["year"]) if match["year"] else _year_of(month, anchor), month)


def _year_of(month: int, anchor: date) -> int:
    """A month without a year is the next one of that name, or the current one."""
    return anchor.year + (month < anchor.month)


def _month_of(year: int, month: int) -> tuple[date, date]:
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])


def _quarter(match: re.Match[str], anchor: date) -> tuple[date, date] | None:
    number = ORDINALS[match["q"].lower()]
    year = match["year"] or match["before"]
    chosen = int(year) if year else anchor.year + (number < (anchor.month + 2) // 3)
    return _months(chosen, 3 * number - 2, 3)


def _half(match: re.Match[str], anchor: date) -> tuple[date, date] | None:
    number = ORDINALS[match["h"].lower()]
    return _months(int(match["year"]) if match["year"] else anchor.year, 6 * number - 5, 6)


def _months(year: int, first: int, count: int) -> tuple[date, date]:
    """`count` months from month `first` of a year on; `first` may lie beyond the year's ends."""
    start, end = divmod(12 * year + first - 1, 12), divmod(12 * year + first + count - 2, 12)
    return date(start[0], start[1] + 1, 1), _month_of(end[0], end[1] + 1)[1]


def _relative(match: re.Match[str], anchor: date) -> tuple[date, date] | None:
    which = match["which"].lower()
    step = 1 if which.startswith(("next", "com", "upc", "foll", "näch", "komm")) else 0
    step = -1 if which.startswith(("last", "prev", "past", "letz", "verg")) else step
    return _unit(UNITS[match["unit"].lower()], anchor, step)


def _unit(days: int, anchor: date, step: int) -> tuple[date, date]:
    if days == 7:
        monday = anchor - timedelta(days=anchor.weekday()) + timedelta(days=7 * step)
        return monday, monday + timedelta(days=6)
    if days == 1:
        return (anchor + timedelta(days=step),) * 2
    length = {30: 1, 91: 3, 365: 12}[days]
    first = (anchor.month - 1) // length * length + 1
    return _months(anchor.year, first + step * length, length)


def _ending(match: re.Match[str], anchor: date) -> tuple[date, date] | None:
    word = (match["unit"] or match["compound"] or "year").lower()
    return _unit(UNITS[word.removesuffix("s") if word not in UNITS else word], anchor, 0)


def _ahead(match: re.Match[str], anchor: date) -> tuple[date, date] | None:
    return anchor, anchor + timedelta(days=_amount(match))


def _ago(match: re.Match[str], anchor: date) -> tuple[date, date] | None:
    unit = timedelta(days=UNITS[match["unit"].lower()])
    middle = anchor - timedelta(days=_amount(match))
    return middle - unit / 2, middle + unit / 2


def _amount(match: re.Match[str]) -> int:
    count = match["count"].lower()
    return (int(count) if count.isdigit() else COUNTS[count]) * UNITS[match["unit"].lower()]


def _near_day(match: re.Match[str], anchor: date) -> tuple[date, date] | None:
    word = match["word"].lower()
    return (anchor + timedelta(days={"tomorrow": 1, "yesterday": -1, "gestern": -1}.get(word, 0)),) * 2


def _soon(_: re.Match[str], anchor: date) -> tuple[date, date] | None:
    return anchor, anchor


def _lately(_: re.Match[str], anchor: date) -> tuple[date, date] | None:
    return anchor - timedelta(days=183), anchor


def _decade(match: re.Match[str], _: date) -> tuple[date, date] | None:
    return date(int(match["decade"]), 1, 1), date(int(match["decade"]) + 9, 12, 31)


def _year(match: re.Match[str], _: date) -> tuple[date, date] | None:
    return date(int(match["year"]), 1, 1), date(int(match["year"]), 12, 31)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.,]){text}", re.IGNORECASE)


_IN = r"(?:in|by|before|until|till|since|from|during|of|for|bis|ab|seit|im|ende|mitte|anfang|end\s+of|early|mid|late)"
PATTERNS: Final[tuple[tuple[re.Pattern[str], Reader], ...]] = (
    (_pattern(_UNTIL + r"(?P<y>(?:19|20)\d\d)-(?P<m>\d\d)(?:-(?P<d>\d\d))?(?:T[\d:.Z+-]+)?(?![\w-])"), _iso),
    (_pattern(_UNTIL + r"(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.\s?" + _YEAR), _dotted),
    (_pattern(_UNTIL + _MONTH + r"\s+(?P<d>\d{1,2})(?:st|nd|rd|th)?(?!\d)(?:,?\s+" + _YEAR + ")?"), _day),
    (_pattern(_UNTIL + r"(?P<d>\d{1,2})(?:st|nd|rd|th|\.)?\s+(?:of\s+)?" + _MONTH + r"(?:,?\s+" + _YEAR + ")?"), _day),
    (_pattern(_UNTIL + _PART + _MONTH + r",?\s+(?:of\s+)?" + _YEAR), _month),
    (
        _pattern(
            _UNTIL + _PART + r"(?:(?P<before>20\d\d)[\s/-]*)?(?:q(?P<q>[1-4])\b)(?:\s*(?:of|in|/)?\s*" + _YEAR + ")?"
        ),
        _quarter,
    ),
    (
        _pattern(
            _UNTIL + _PART + r"(?P<before>(?!))?(?P<q>first|second|third|fourth|[1-4](?:st|nd|rd|th)|[1-4](?=\.)"
            r"|ersten?|zweiten?|dritten?|vierten?)\.?\s+(?:quarter|quartal)\b(?:\s+(?:of|in)?\s*" + _YEAR + ")?"
        ),
        _quarter,
    ),
    (_pattern(_UNTIL + r"h(?P<h>[12])\b(?:\s*(?:of|/)?\s*" + _YEAR + ")?"), _half),
    (_pattern(_UNTIL + r"(?:the\s+)?(?P<h>first|second)\s+half(?:\s+of)?\s+" + _YEAR), _half),
    (_pattern(_UNTIL + _PART + r"(?:the\s+)?" + _WHICH + r"\s+" + _UNIT), _relative),
    (
        _pattern(
            _UNTIL + r"(?:the\s+)?(?P<part>end|ende)\s+(?:of|des|der)?\s*(?:the\s+)?" + _UNIT + r"(?P<compound>(?!))?"
        ),
        _ending,
    ),
    (
        _pattern(
            _UNTIL + r"(?P<unit>(?!))?(?P<compound>year|quarter|month|jahres|quartals|monats)[\s-]?(?P<part>ende?)\b"
        ),
        _ending,
    ),
    (
        _pattern(
            r"(?:within|in|over|during|inside|innerhalb(?:\s+von)?|binnen)\s+(?:the\s+|den\s+)?"
            r"(?:next\s+|coming\s+|following\s+|nächsten\s+|kommenden\s+)?" + _COUNT + r"[\s-]+" + _UNIT
        ),
        _ahead,
    ),
    (_pattern(r"(?:the\s+)?(?:next|coming|nächsten|kommenden)\s+" + _COUNT + r"\s+" + _UNIT), _ahead),
    (_pattern(_COUNT + r"\s+" + _UNIT + r"\s+ago\b"), _ago),
    (_pattern(r"vor\s+" + _COUNT + r"\s+" + _UNIT), _ago),
    (_pattern(r"(?P<word>tomorrow|yesterday|gestern)\b"), _near_day),
    (_pattern(_SOON + r"\b"), _soon),
    (_pattern(_LATELY + r"\b"), _lately),
    (_pattern(r"(?P<decade>(?:19|20)\d0)(?:s\b|er\b)"), _decade),
    (_pattern(rf"(?:(?P<until>by|before|until|till|bis)\s+|(?<!\w){_IN}\s+(?:the\s+)?)?"
              r"(?:(?P<part>early|mid|late|end\s+of|anfang|mitte|ende)[\s-]+)?" + _MONTH + r"(?P<year>(?!))?(?!\w)"),
     _month),
    (_pattern(_UNTIL + _PART + _YEAR + r"(?![-.,]\d)"), _year),
)  # fmt: skip
"""Tried in order; a place that one has taken is no other's."""
NEEDS: Final[dict[Reader, tuple[str, ...]]] = {
    _iso: ("year",), _dotted: ("year",), _day: ("month",), _month: ("month",), _quarter: ("quarter", "unit"),
    _half: ("half",),
    _relative: ("unit",), _ending: ("unit",), _ahead: ("unit",), _ago: ("unit",), _near_day: ("word",),
    _soon: ("word",), _lately: ("word",), _decade: ("year",), _year: ("year",),
}  # fmt: skip
TOKEN: Final = re.compile(r"[^\W_]+")
SOME_YEAR: Final = re.compile(r"(?:19|20)\d\d")


def _kinds(text: str) -> frozenset[str]:
    kinds = {HINTS[token] for token in TOKEN.findall(text.lower()) if token in HINTS}
    if SOME_YEAR.search(text):
        kinds.add("year")
    return frozenset(kinds)


@cache
def _patterns_for(kinds: frozenset[str]) -> tuple[tuple[re.Pattern[str], Reader], ...]:
    return tuple((pattern, read) for pattern, read in PATTERNS if not kinds.isdisjoint(NEEDS[read]))
