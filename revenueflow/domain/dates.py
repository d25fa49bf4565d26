"""Dates as people write them: days, months, seasons, quarters, years, decades, centuries; months in German too."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final, NamedTuple

from revenueflow.domain.date_words import MONTH_OF

ORDINALS: Final = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifteenth": 15, "sixteenth": 16, "seventeenth": 17,
    "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "twenty-first": 21,
}  # fmt: skip
SEASONS: Final = {
    # What every calendar of the northern half counts as the season, and what some calendar does: (month, day) pairs.
    "spring": ((3, 21), (5, 31), (3, 1), (6, 21)),
    "summer": ((6, 22), (8, 31), (6, 1), (9, 23)),
    "fall": ((9, 24), (11, 30), (9, 1), (12, 21)),
    "autumn": ((9, 24), (11, 30), (9, 1), (12, 21)),
    "winter": ((12, 22), (2, 28), (12, 1), (3, 20)),
}
PARTS: Final = {
    # Shares of a decade or century: surely in that part, and perhaps.
    "early": (0.0, 0.3, 0.0, 0.5),
    "mid": (0.4, 0.6, 0.3, 0.7),
    "late": (0.7, 1.0, 0.5, 1.0),
    "": (0.0, 1.0, 0.0, 1.0),
}
LEAP: Final = 2000
"""Dates without a year are given in this one."""


class Span(NamedTuple):
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def within(self, other: Span) -> bool:
        """True if no day of it lies outside of the other."""
        return other.first <= self.first and self.last <= other.last

    def meets(self, other: Span) -> bool:
        """True if they share a day."""
        return self.first <= other.last and other.first <= self.last


class Dated(NamedTuple):
    """A date in a text. `sure` is what the words surely mean, `wide` the most that they may mean.

    `yearly` dates come without a year and are given in the year 2000 (winter ends in 2001). What lies in the `gap` is
    surely not meant: the winter of a year is at both of its ends.
    """

    sure: Span
    wide: Span
    yearly: bool
    start: int
    end: int
    gap: Span | None = None

    def holds(self, span: Span) -> bool | None:
        """True if a span surely lies in it, False if it surely does not, None if nobody can tell."""
        placed = [_in_leap_year(span, years) for years in (0, 1)] if self.yearly else [span]
        if self.yearly and (span.last - span.first).days > 27 and (span.first.month != span.last.month):
            return None
        if any(one.within(self.sure) for one in placed):
            return True
        if self.gap and span.within(self.gap):
            return False
        return None if any(one.meets(self.wide) for one in placed) else False


_MONTH = "|".join(sorted(MONTH_OF, key=len, reverse=True))
_YEAR = r"(?P<{}>1\d{{3}}|20\d\d)(?!\d)"
_DAY = r"(?P<{}>[0-3]?\d)(?:st|nd|rd|th|\.)?"
_PART = r"(?:(?P<{}>early|mid|middle|late)(?:\s+part\s+of)?[\s-]+(?:the\s+)?)?"
DATE: Final = re.compile(
    rf"""(?<![\w$€£/.])(?:
      (?P<iso>\d{{4}})-(?P<iso_month>[01]\d)-(?P<iso_day>[0-3]\d)(?!\d)
    | (?P<dot_day>[0-3]?\d)\.(?P<dot_month>[01]?\d)\.(?P<dot_year>1\d{{3}}|20\d\d)(?!\d)
    | {_DAY.format("d1")}\s+(?:of\s+)?(?P<m1>{_MONTH})\b\.?,?\s+(?:of\s+)?{_YEAR.format("y1")}
    | (?P<m2>{_MONTH})\b\.?\s+(?:the\s+)?{_DAY.format("d2")}(?!\d),?\s+(?:of\s+)?{_YEAR.format("y2")}
    | (?P<m3>{_MONTH})\b\.?,?\s+(?:of\s+)?{_YEAR.format("y3")}
    | (?:q(?P<q>[1-4])|(?P<qw>first|second|third|fourth)\s+quarter)\s+(?:of\s+)?{_YEAR.format("y4")}
    | (?P<s1>spring|summer|fall|autumn|winter)\s+(?:of\s+)?{_YEAR.format("y5")}
    | {_PART.format("p6")}(?P<c>\d{{1,2}}(?:st|nd|rd|th)|{"|".join(ORDINALS)})[\s-]+century
    | {_PART.format("p7")}(?P<decade>(?:1\d|20)\d0)['’]?s\b
    | {_PART.format("p8")}['’]?(?P<short>[2-9]0)['’]?s\b
    | {_PART.format("p9")}{_YEAR.format("y9")}(?![%\w]|[.,]\d)
    | (?P<m10>{_MONTH})\b\.?\s+(?:the\s+)?{_DAY.format("d10")}(?![\d,.]?\d)
    | {_DAY.format("d11")}\s+(?:of\s+)?(?P<m11>{_MONTH})\b
    | (?P<s12>spring|summer|fall|autumn|winter)\b
    | (?P<m13>{_MONTH})\b
    )""",
    re.VERBOSE | re.IGNORECASE,
)


def scan(text: str) -> tuple[Dated, ...]:
    """All dates of a text, from left to right. Linear in the text."""
    return tuple(found for match in DATE.finditer(text) if (found := _read(match)) is not None)


def days(text: str) -> tuple[Span, ...]:
    """The dates with a year that a value gives, each at its most exact, in order of appearance."""
    found = [dated.sure for dated in scan(text) if not dated.yearly]
    return tuple(
        dict.fromkeys(span for span in found if not any(other != span and other.within(span) for other in found))
    )


def of_year(year: int, last: int | None = None) -> Span:
    """A year, or the years up to `last`."""
    return Span(date(year, 1, 1), date(last or year, 12, 31))


def later(day: date, years: float) -> date:
    """The day so many years later (or earlier), kept within what a date can be."""
    whole = int(years)
    year = min(9999, max(1, day.year + whole))
    moved = date(year, day.month, min(day.day, 28) if day.month == 2 else day.day)
    return moved + timedelta(days=round((years - whole) * 365.25)) if 1 < year < 9999 else moved


def _read(match: re.Match[str]) -> Dated | None:
    try:
        return next((found for read in READERS if (found := read(match)) is not None), None)
    except ValueError:
        return None


def _dated(match: re.Match[str], sure: Span, wide: Span | None = None, *, yearly: bool = False) -> Dated:
    return Dated(sure, wide or sure, yearly, match.start(), match.end())


def _day(match: re.Match[str]) -> Dated | None:
    for year, month, day in (("iso", "iso_month", "iso_day"), ("dot_year", "dot_month", "dot_day")):
        if match[year]:
            whole = date(int(match[year]), int(match[month]), int(match[day]))
            return _dated(match, Span(whole, whole))
    for number in ("1", "2"):
        if match[f"y{number}"]:
            month = str(MONTH_OF[match[f"m{number}"].casefold()])
            whole = date(int(match[f"y{number}"]), int(month), int(match[f"d{number}"]))
            return _dated(match, Span(whole, whole))
    return None


def _month(match: re.Match[str]) -> Dated | None:
    if match["y3"]:
        return _dated(match, _months(int(match["y3"]), MONTH_OF[match["m3"].casefold()], 1))
    if match["y4"]:
        quarter = int(match["q"]) if match["q"] else ORDINALS[match["qw"].casefold()]
        return _dated(match, _months(int(match["y4"]), quarter * 3 - 2, 3))
    return None


def _season(match: re.Match[str]) -> Dated | None:
    if match["y5"]:
        year, name = int(match["y5"]), match["s1"].casefold()
        sure, wide = _seasonal(name, year)
        if name == "winter":
            earlier = _seasonal(name, year - 1)
            found = _dated(match, Span(date(year, 12, 22), date(year, 12, 31)), Span(earlier[1].first, wide.last))
            return found._replace(gap=Span(date(year, 3, 21), date(year, 11, 30)))
        return _dated(match, sure, wide)
    if match["s12"]:
        sure, wide = _seasonal(match["s12"].casefold(), LEAP)
        return _dated(match, sure, wide, yearly=True)
    return None


def _century(match: re.Match[str]) -> Dated | None:
    if not match["c"]:
        return None
    written = match["c"].casefold()
    number = ORDINALS.get(written) or int(written[:-2])
    if not 10 <= number <= 21:
        return None
    return _part_of(match, match["p6"], number * 100 - 99, 100, slack=1)


def _decade(match: re.Match[str]) -> Dated | None:
    if match["decade"]:
        first = int(match["decade"])
        found = _part_of(match, match["p7"], first, 10)
        return (
            found
            if first % 100
            else found._replace(wide=_joined(found.wide, _part_of(match, match["p7"], first, 100).wide))
        )
    if match["short"]:
        return _part_of(match, match["p8"], 1900 + int(match["short"]), 10)
    return None


def _year(match: re.Match[str]) -> Dated | None:
    if not match["y9"]:
        return None
    whole = of_year(int(match["y9"]))
    return _dated(match, whole) if not match["p9"] else _within_year(match, whole.first.year)


def _within_year(match: re.Match[str], year: int) -> Dated:
    first, last = {"early": (1, 5), "late": (8, 12)}.get(match["p9"].casefold(), (4, 9))
    wide = Span(date(year, first, 1), _months(year, last, 1).last)
    inner = Span(date(year, min(12, first + 1), 1), _months(year, max(1, last - 1), 1).last)
    decade = _part_of(match, match["p9"], year, 10).wide if year % 10 == 0 else wide
    return _dated(match, inner, _joined(wide, decade))


def _without_year(match: re.Match[str]) -> Dated | None:
    for number in ("10", "11"):
        if match[f"m{number}"]:
            day = date(LEAP, MONTH_OF[match[f"m{number}"].casefold()], int(match[f"d{number}"]))
            return _dated(match, Span(day, day), yearly=True)
    name = match["m13"]
    if not name or not name[0].isupper() or (len(name) < 4 and name != "May"):
        return None
    return _dated(match, _months(LEAP, MONTH_OF[name.casefold()], 1), yearly=True)


READERS: Final[tuple[Callable[[re.Match[str]], Dated | None], ...]] = (
    _day, _month, _season, _century, _decade, _year, _without_year,
)  # fmt: skip


def _part_of(match: re.Match[str], part: str | None, first: int, years: int, slack: int = 0) -> Dated:
    """A part of a decade or century; `slack` is for those who begin it a year early."""
    name = "mid" if (part or "").casefold() == "middle" else (part or "").casefold()
    low, high, wide_low, wide_high = PARTS[name]
    sure = of_year(first + round(low * years), first + max(0, round(high * years) - 1))
    return _dated(match, sure, of_year(first + round(wide_low * years) - slack, first + round(wide_high * years) - 1))


def _joined(one: Span, other: Span) -> Span:
    return Span(min(one.first, other.first), max(one.last, other.last))


def _seasonal(name: str, year: int) -> tuple[Span, Span]:
    first, last, wide_first, wide_last = SEASONS[name]
    ends = year + (name == "winter")
    return Span(date(year, *first), date(ends, *last)), Span(date(year, *wide_first), date(ends, *wide_last))


def _months(year: int, month: int, count: int) -> Span:
    end = month + count
    beyond = date(year + (end > 12), end - 12 if end > 12 else end, 1)
    return Span(date(year, month, 1), beyond - timedelta(days=1))


def _in_leap_year(span: Span, years: int) -> Span:
    def move(day: date) -> date:
        return date(LEAP + years, day.month, min(day.day, 28) if day.month == 2 else day.day)

    return Span(move(span.first), move(span.last))
