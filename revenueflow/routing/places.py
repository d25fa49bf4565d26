"""States and postcodes in one form, whoever wrote them: `CA` for California, `SW1A1AA` for "sw1a 1aa"."""

from __future__ import annotations

import re

from revenueflow.domain.base import Value
from revenueflow.domain.locations import folded, states

LEAST_DIGITS = 4
"""Fewer are a house number."""
LONGEST = 60
"""Characters; what is longer is no state and no postcode."""
_LENGTHS: dict[str, tuple[int, ...]] = {
    "AT": (4,), "AU": (4,), "BE": (4,), "CH": (4,), "DK": (4,), "NO": (4,), "US": (5, 9),
    "CZ": (5,), "DE": (5,), "ES": (5,), "FI": (5,), "FR": (5,), "IT": (5,), "SE": (5,),
}  # fmt: skip
"""Digits of the codes of countries where they are nothing else: nine digits are no code of Bavaria."""
_CODE = re.compile(r"[0-9A-Z]{2,10}")
_SPAN = re.compile(r"([0-9A-Z]+)(?:-([0-9A-Z]+))?")


class Postcodes(Value):
    """The codes whose first `len(low)` characters are from `low` to `high`, both included and equally long."""

    low: str
    high: str

    def holds(self, code: str) -> bool:
        """Whether a code, as `postcode` gives it, is one of them."""
        length = len(self.low)
        return len(code) >= length and self.low <= code[:length] <= self.high


def postcode(given: str | None, country: str | None = None) -> str | None:
    """Capitals and digits only, without the country in front ("D-20095"). None if it can't be one."""
    text = re.sub(r"[\s.-]", "", (given or "")[:LONGEST].upper())
    if country and text.startswith((country, country[0])) and text.lstrip(country).isdigit():
        text = text.lstrip(country)
    if not _CODE.fullmatch(text) or not any(map(str.isdigit, text)):
        return None
    lengths = _LENGTHS.get(country or "")
    return text if lengths is None or (text.isdigit() and len(text) in lengths) else None


def postcodes(span: str) -> Postcodes:
    """`80` (all that begin with it), `80*` (the same), or `00-39`. Raises ValueError in words."""
    match = _SPAN.fullmatch(re.sub(r"\s", "", span.upper()).removesuffix("*"))
    if match is None:
        raise ValueError(f'postcodes are written as "80" (what begins with it) or "00-39", not "{span}"')
    low, high = match[1], match[2] or match[1]
    if len(low) != len(high) or low > high:
        raise ValueError(f'"{span}": both ends must be equally long, and the first not above the second')
    return Postcodes(low=low, high=high)


def state(given: str | None, country: str | None) -> str | None:
    """The second part of an ISO 3166-2 code, from a code or a name. None if the country has no such state."""
    if not given or not country or len(given) > LONGEST:
        return None
    return states(country).get(folded(given.strip().upper().removeprefix(f"{country}-")))


def within(location: str | None, country: str | None) -> tuple[str | None, str | None]:
    """State and postcode of a place such as "Austin, TX 78701" or "10115 Berlin"; None for what it does not name."""
    parts = [part.strip() for part in re.split(r"[,;/|]", (location or "")[:200]) if part.strip()]
    tokens = [token for part in parts for token in part.split()]
    coded = [token for token in tokens if token.isupper() and token.isalpha()]
    named = (state(one, country) for one in (*reversed(parts), *reversed(coded)))
    codes = (postcode(token, country) for token in tokens if sum(map(str.isdigit, token)) >= LEAST_DIGITS)
    return next(filter(None, named), None), next(filter(None, codes), None)


def told(
    given_state: str | None, given_code: str | None, location: str | None, country: str | None
) -> tuple[str | None, str | None]:
    """State and postcode, from fields of their own or else from the location."""
    near_state, near_code = within(location, country)
    return state(given_state, country) or near_state, postcode(given_code, country) or near_code


def language(given: str | None) -> str | None:
    """The first part of a BCP 47 tag (`de` of "de-CH"), None for what is none."""
    first = re.split(r"[-_]", (given or "").strip().casefold())[0]
    return first if re.fullmatch(r"[a-z]{2,3}", first) else None
