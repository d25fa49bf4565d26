"""Numbers as people and vendors write them: counts, ranges, money, years; English and German notation."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from pydantic import JsonValue

from revenueflow.domain.base import Value

NUMBER = r"(?:\d{1,3}(?:[,.'’\u00a0\u202f ]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)?)"
SCALES = {
    "k": 1e3, "thousand": 1e3, "tsd": 1e3, "tausend": 1e3,
    "m": 1e6, "mm": 1e6, "mn": 1e6, "mio": 1e6, "million": 1e6, "millions": 1e6, "millionen": 1e6,
    "b": 1e9, "bn": 1e9, "billion": 1e9, "billions": 1e9, "mrd": 1e9, "milliarde": 1e9, "milliarden": 1e9,
    "trillion": 1e12, "tn": 1e12,
}  # fmt: skip
GERMAN_SCALES = frozenset(("tsd", "tausend", "mio", "millionen", "mrd", "milliarde", "milliarden"))
CURRENCIES = {
    "$": "USD", "us$": "USD", "a$": "AUD", "c$": "CAD", "usd": "USD", "dollar": "USD", "dollars": "USD",
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR",
    "£": "GBP", "gbp": "GBP", "pound": "GBP", "pounds": "GBP",
    "chf": "CHF", "¥": "JPY", "jpy": "JPY", "yen": "JPY", "inr": "INR", "₹": "INR",
    "cad": "CAD", "aud": "AUD",
    "us dollars": "USD", "us dollar": "USD", "u.s. dollars": "USD",
}  # fmt: skip
FLOORS = (
    "over", "more than", "above", "at least", "exceeding", "exceeds", "greater than", "upwards of",
    "no less than",
    "not less than", "no fewer than", "über", "mehr als", "mindestens", ">=", "≥", ">",
)  # fmt: skip
CEILINGS = (
    "not more than", "no more than", "under", "less than", "fewer than", "up to", "below", "at most", "unter",
    "weniger als", "bis zu", "höchstens", "maximal", "<=", "≤", "<",
)  # fmt: skip
ABOUTS = (
    "approximately", "about", "around", "roughly", "circa", "ca.", "ca", "approx.", "approx",
    "nearly", "almost",
    "some", "etwa", "rund", "ungefähr", "~", "≈",
)  # fmt: skip
MOST = 1e15
"""Nothing that is counted of a company is more; what is, is a mistake, or meant to be one."""
COUNT_WORDS = frozenset((
    "a", "employee", "employees", "people", "staff", "person", "persons", "member", "members",
    "team", "headcount",
    "size", "workers", "worker", "of", "the", "in", "total", "fte", "ftes", "full", "time",
    "globally", "worldwide",
    "company", "mitarbeiter", "mitarbeitende", "mitarbeiterinnen", "beschäftigte", "angestellte", "personen",
    "between", "zwischen", "from", "von", "self", "employed", "empleados", "employés",
))  # fmt: skip
MONEY_WORDS = frozenset((
    "in", "of", "the", "a", "per", "year", "annual", "annually", "yearly", "revenue", "revenues",
    "arr", "total",
    "raised", "funding", "round", "jahr", "pro", "umsatz", "between", "zwischen", "from", "von",
    "sales", "turnover",
    "p.a", "estimated",
))  # fmt: skip


def _any(options: tuple[str, ...]) -> str:
    return "|".join(re.escape(option) for option in sorted(options, key=len, reverse=True))


_CURRENCY = _any(tuple(CURRENCIES))
_SCALE = rf"(?:{_any(tuple(SCALES))})(?![a-zäöüß])\.?"
BEFORE = re.compile(
    rf"""(?<!\w)(?:(?P<bound>{_any(FLOORS + CEILINGS + ABOUTS)})\s*)?(?P<currency>{_CURRENCY})?\s*$""",
    re.VERBOSE | re.IGNORECASE,
)
QUANTITY = re.compile(
    rf"""(?P<low>(?<!\w)(?<!\d[.,]){NUMBER})\s*(?P<scale1>{_SCALE})?\s*(?P<cur1>(?:{_CURRENCY})(?!\w))?
    (?:\s*(?:-|–|—|−|to\b|bis\b)\s*(?P<cur2>{_CURRENCY})?\s*(?P<high>{NUMBER})
       \s*(?P<scale2>{_SCALE})?\s*(?P<cur3>(?:{_CURRENCY})(?!\w))?)?
    (?P<open>\s*\+|\s*or\s+more\b|\s*(?:und|oder)\s+mehr\b|\s*plus\b)?\s*(?P<percent>%|percent\b|prozent\b)?""",
    re.VERBOSE | re.IGNORECASE,
)
LONGEST_PREFIX = 24
MINUS = re.compile(r"(?:^|\s)[-–−]$")
"""Right before a number: it is less than nothing, and nobody counts so."""
YEAR = re.compile(r"(?<![\d.,])(1[5-9]\d\d|20\d\d)(?![\d%]|[.,]\d)")
DECADE = re.compile(r"(?<!\d)((?:1[5-9]|20)\d0)(?:['’]?s\b|er\b)")
SPAN = re.compile(r"(?i)\b(?:between|from|zwischen|von|to|and|bis|und)\b|\d\s*[-–]\s*\d")
BOUND = re.compile(r"(?i)\b(?:(?P<before>before|prior to|vor)|after|later than|nach)\s+(?:the\s+year\s+)?(?=\d{4})")
REST = re.compile(r"[^\W\d_][\w.]*\w|[^\W\d_]")


class Range(Value):
    """`low` to `high`, both included; `high` None means no upper end. One number is a range of width zero."""

    low: float
    high: float | None
    approximate: bool = False

    @property
    def exact(self) -> bool:
        """True for a single number."""
        return self.low == self.high

    @property
    def midpoint(self) -> float:
        """The middle, or the lower end of an open range."""
        return self.low if self.high is None else (self.low + self.high) / 2

    def overlaps(self, other: Range, tolerance: float = 0.0) -> bool:
        """True if some number lies in both, each end widened by `tolerance` (a share of its value)."""
        top, other_top = self._top * (1 + tolerance), other._top * (1 + tolerance)
        return self.low * (1 - tolerance) <= other_top and other.low * (1 - tolerance) <= top

    def within(self, other: Range, tolerance: float = 0.0) -> bool:
        """True if the whole of it lies in `other`, whose ends are widened by `tolerance`."""
        return other.low * (1 - tolerance) <= self.low and self._top <= other._top * (1 + tolerance)

    @property
    def _top(self) -> float:
        return math.inf if self.high is None else self.high


class Money(Value):
    """An amount or a range of amounts, in major units; `currency` is ISO 4217, None where it was not said."""

    amount: Range
    currency: str | None = None


class Quantity(NamedTuple):
    """A number or a range in a running text, with where it stands."""

    range: Range
    currency: str | None
    percent: bool
    start: int
    end: int


def scan(text: str) -> tuple[Quantity, ...]:
    """All numbers and ranges of a text, from left to right. Linear in the text."""
    found: list[Quantity] = []
    for match in QUANTITY.finditer(text):
        quantity = _quantity(match)
        if found and _joined(text, found[-1], quantity):
            quantity = _merged(found.pop(), quantity)
        found.append(quantity)
    return tuple(found)


def count_range(value: JsonValue) -> Range | None:
    """A count: 240, "51-200", "10k+", "1,200 employees", "über 500". None if it is not only that."""
    if isinstance(value, str):
        found = _only(value, COUNT_WORDS)
        return found.range if found and found.range.low <= MOST and not found.currency and not found.percent else None
    return _number(value)


def money(value: JsonValue) -> Money | None:
    """An amount: 1.5e7, "$10M-$50M", "25 Mio. €", "over 3 million dollars". None if it is not only that."""
    if isinstance(value, str):
        found = _only(value, MONEY_WORDS)
        return Money(amount=found.range, currency=found.currency) if found and not found.percent else None
    plain = _number(value)
    return Money(amount=plain) if plain else None


def year(value: JsonValue) -> int | None:
    """A year between 1500 and 2099: an integer, or the only year that a text names."""
    if isinstance(value, str):
        found = set(YEAR.findall(value))
        return int(found.pop()) if len(found) == 1 else None
    plain = _number(value)
    return int(plain.low) if plain and 1500 <= plain.low < 2100 and plain.low.is_integer() else None


def years(value: JsonValue) -> Range | None:
    """A year or a span of years: 2015, "between 2010 and 2014", "before 2015", "after 2010", "the 1990s"."""
    if not isinstance(value, str):
        found = year(value)
        return Range(low=found, high=found) if found else None
    named = [int(text) for text in YEAR.findall(value)]
    decade = DECADE.search(value)
    if decade:
        return Range(low=int(decade[1]), high=int(decade[1]) + 9)
    if len(named) == 2 and named[0] < named[1] and SPAN.search(value):
        return Range(low=named[0], high=named[1])
    if len(set(named)) != 1:
        return None
    bound = BOUND.search(value)
    if not bound:
        return Range(low=named[0], high=named[0])
    earliest, latest = (1500, named[0] - 1) if bound["before"] else (named[0] + 1, 2099)
    return Range(low=earliest, high=latest)


def _number(value: JsonValue) -> Range | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Range(low=float(value), high=float(value)) if 0 <= value <= MOST else None


def _only(text: str, noise: frozenset[str]) -> Quantity | None:
    found = scan(text)
    if len(found) != 1 or MINUS.search(text[: found[0].start]):
        return None
    rest = text[: found[0].start] + " " + text[found[0].end :]
    return found[0] if all(word.casefold() in noise for word in REST.findall(rest)) else None


def _joined(text: str, left: Quantity, right: Quantity) -> bool:
    """Between … and …: two numbers that are one range."""
    gap = text[left.end : right.start].strip().casefold()
    if gap not in ("and", "und") or left.range.low > right.range.low:
        return False
    return text[max(0, left.start - LONGEST_PREFIX) : left.start].rstrip().casefold().endswith(("between", "zwischen"))


def _merged(left: Quantity, right: Quantity) -> Quantity:
    span = Range(low=left.range.low, high=right.range.low)
    return Quantity(span, left.currency or right.currency, left.percent or right.percent, left.start, right.end)


def _quantity(match: re.Match[str]) -> Quantity:
    low, high = _bounds(match)
    before = BEFORE.search(match.string, max(0, match.start() - LONGEST_PREFIX), match.start())
    bound = (before["bound"] or "").casefold() if before else ""
    if match["open"] or bound in FLOORS:
        high = None
    elif bound in CEILINGS and match["high"] is None:
        low, high = 0.0, low
    span = Range(low=low, high=high, approximate=bound in ABOUTS)
    start = before.start() if before else match.start()
    return Quantity(span, _currency(match, before), match["percent"] is not None, start, match.end())


def _currency(match: re.Match[str], before: re.Match[str] | None) -> str | None:
    codes = (before["currency"] if before else None, match["cur1"], match["cur2"], match["cur3"])
    return next((CURRENCIES[code.casefold()] for code in codes if code), None)


def _bounds(match: re.Match[str]) -> tuple[float, float | None]:
    scale1, scale2 = _scale(match["scale1"]), _scale(match["scale2"])
    low = _plain(match["low"], match["scale1"])
    if match["high"] is None:
        return low * (scale1 or 1), low * (scale1 or 1)
    high = _plain(match["high"], match["scale2"])
    shared = scale2 if scale1 is None and scale2 and low < high else None
    ends = low * (scale1 or shared or 1), high * (scale2 or 1)
    return min(ends), max(ends)


def _scale(word: str | None) -> float | None:
    return SCALES[word.casefold().rstrip(".")] if word else None


def _decimal(point: str, scale: str | None) -> bool:
    """True if the only point or comma before a scale begins decimals: "1.200 M", but not "1,200 thousand"."""
    if scale is None:
        return False
    return point == "." or scale.casefold().rstrip(".") in GERMAN_SCALES


def _plain(digits: str, scale: str | None) -> float:
    """Groups of three are thousands ("1,200", "1.200"), unless a scale follows in whose language they are not."""
    if digits.isdecimal():
        return float(digits)
    bare = re.sub(r"['’\u00a0\u202f ]", "", digits)
    grouped = re.fullmatch(r"[1-9]\d{0,2}([.,])\d{3}(\1\d{3})*", bare)
    if grouped and (len(re.findall("[.,]", bare)) > 1 or not _decimal(grouped[1], scale)):
        return float(re.sub("[.,]", "", bare))
    last = max(bare.rfind("."), bare.rfind(","))
    if last < 0:
        return float(bare)
    return float(re.sub("[.,]", "", bare[:last]) + "." + bare[last + 1 :])
