"""The patterns of dates as people write them, English and German, and what each means on a day."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from typing import Final

from revenueflow.domain.date_words import ALSO_WORDS, BESIDE, COUNTS, HINTS, MONTH_OF, ORDINALS, UNITS


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
Patterns = tuple[tuple[re.Pattern[str], Reader], ...]


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


def whole_year(match: re.Match[str], _: date) -> tuple[date, date] | None:
    """A year in digits."""
    return date(int(match["year"]), 1, 1), date(int(match["year"]), 12, 31)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.,]){text}", re.IGNORECASE)


_IN = r"(?:in|by|before|until|till|since|from|during|of|for|bis|ab|seit|im|ende|mitte|anfang|end\s+of|early|mid|late)"


SOURCES: Final[tuple[tuple[str, Reader], ...]] = (
((_UNTIL + r"(?P<y>(?:19|20)\d\d)-(?P<m>\d\d)(?:-(?P<d>\d\d))?(?:T[\d:.Z+-]+)?(?![\w-])"), _iso),
((_UNTIL + r"(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.\s?" + _YEAR), _dotted),
((_UNTIL + _MONTH + r"\s+(?P<d>\d{1,2})(?:st|nd|rd|th)?(?!\d)(?:,?\s+" + _YEAR + ")?"), _day),
((_UNTIL + r"(?P<d>\d{1,2})(?:st|nd|rd|th|\.)?\s+(?:of\s+)?" + _MONTH + rf"(?:,?\s+{_YEAR})?"), _day),
((_UNTIL + _PART + _MONTH + r",?\s+(?:of\s+)?" + _YEAR), _month),
(
    (
        _UNTIL + _PART + r"(?:(?P<before>20\d\d)[\s/-]*)?(?:q(?P<q>[1-4])\b)(?:\s*(?:of|in|/)?\s*" + _YEAR + ")?"
    ),
    _quarter,
),
(
    (
        _UNTIL + _PART + r"(?P<before>(?!))?(?P<q>first|second|third|fourth|[1-4](?:st|nd|rd|th)|[1-4](?=\.)"
        r"|ersten?|zweiten?|dritten?|vierten?)\.?\s+(?:quarter|quartal)\b(?:\s+(?:of|in)?\s*" + _YEAR + ")?"
    ),
    _quarter,
),
((_UNTIL + r"h(?P<h>[12])\b(?:\s*(?:of|/)?\s*" + _YEAR + ")?"), _half),
((_UNTIL + r"(?:the\s+)?(?P<h>first|second)\s+half(?:\s+of)?\s+" + _YEAR), _half),
((_UNTIL + _PART + r"(?:the\s+)?" + _WHICH + r"\s+" + _UNIT), _relative),
(
    (
        _UNTIL + rf"(?:the\s+)?(?P<part>end|ende)\s+(?:of|des|der)?\s*(?:the\s+)?{_UNIT}(?P<compound>(?!))?"
    ),
    _ending,
),
(
    (
        _UNTIL + r"(?P<unit>(?!))?(?P<compound>year|quarter|month|jahres|quartals|monats)[\s-]?(?P<part>ende?)\b"
    ),
    _ending,
),
(
    (
        r"(?:within|in|over|during|inside|innerhalb(?:\s+von)?|binnen)\s+(?:the\s+|den\s+)?"
        r"(?:next\s+|coming\s+|following\s+|nächsten\s+|kommenden\s+)?" + _COUNT + r"[\s-]+" + _UNIT
    ),
    _ahead,
),
((r"(?:the\s+)?(?:next|coming|nächsten|kommenden)\s+" + _COUNT + r"\s+" + _UNIT), _ahead),
((_COUNT + r"\s+" + _UNIT + r"\s+ago\b"), _ago),
((r"vor\s+" + _COUNT + r"\s+" + _UNIT), _ago),
((r"(?P<word>tomorrow|yesterday|gestern)\b"), _near_day),
((_SOON + r"\b"), _soon),
((_LATELY + r"\b"), _lately),
((r"(?P<decade>(?:19|20)\d0)(?:s\b|er\b)"), _decade),
((rf"(?:(?P<until>by|before|until|till|bis)\s+|(?<!\w){_IN}\s+(?:the\s+)?)?"
          rf"(?:(?P<part>early|mid|late|end\s+of|anfang|mitte|ende)[\s-]+)?{_MONTH}(?P<year>(?!))?(?!\w)"),
 _month),
((_UNTIL + _PART + _YEAR + r"(?![-.,]\d)"), whole_year),
)  # fmt: skip
"""Tried in order; a place that one has taken is no other's."""
NEEDS: Final[dict[Reader, tuple[str, ...]]] = {
    _iso: ("year",), _dotted: ("year",), _day: ("month",), _month: ("month",), _quarter: ("quarter", "unit"),
    _half: ("half",),
    _relative: ("unit",), _ending: ("unit",), _ahead: ("unit",), _ago: ("unit",), _near_day: ("word",),
    _soon: ("word",), _lately: ("word",), _decade: ("year",), whole_year: ("year",),
}  # fmt: skip
ALSO: Final[dict[Reader, str]] = {
    _iso: "-", _dotted: ".", _relative: "which", _ending: "end", _ahead: "ahead", _ago: "ago",
}  # fmt: skip
"""And what else stands in a text with a date of this kind: a mark, or a word of BESIDE."""
PREFIXED: Final[Patterns] = tuple((_pattern(source), read) for source, read in SOURCES)
BARE: Final[Patterns] = tuple(
    (_pattern(source.replace(_UNTIL, "").replace(_PART, "")), read) for source, read in SOURCES
)
"""The same without "by", "early", "the" and the like before a date: for texts that have no such word."""
TOKEN: Final = re.compile(r"[^\W_]+")
SOME_YEAR: Final = re.compile(r"(?:19|20)\d\d")


def plausible(text: str) -> Patterns:
    """The patterns that may match in this text, in order; none for most texts, which are told by their words alone."""
    tokens = TOKEN.findall(text.lower())
    kinds = {HINTS[token] for token in tokens if token in HINTS}
    if SOME_YEAR.search(text):
        kinds.add("year")
    if not kinds:
        return ()
    kinds.update(label for label, some in BESIDE.items() if not some.isdisjoint(tokens))
    kinds.update(mark for mark in "-." if mark in text)
    return _of_kinds(frozenset(kinds))


@cache
def _of_kinds(kinds: frozenset[str]) -> Patterns:
    usable = PREFIXED if "prefix" in kinds else BARE
    return tuple(
        (pattern, read)
        for pattern, read in usable
        if not kinds.isdisjoint(NEEDS[read]) and (read not in ALSO or ALSO[read] in kinds)
    )
