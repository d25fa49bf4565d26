"""Do two names mean one company? By words, not by characters: what tells companies apart must agree.

Legal forms, word order, script, spacing, initials and small misspellings don't matter; another number, place or
distinguishing word does. Decided without any other knowledge of the companies.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from rapidfuzz.distance import OSA
from rapidfuzz.fuzz import ratio

from revenueflow.domain.company_names import LegalForms, Name, legal_forms, parsed

THRESHOLD = 0.7
"""Names with at least this score mean one company."""
BELOW = 0.65
MOST_WORDS = 24
UMLAUTS = (("ae", "a"), ("oe", "o"), ("ue", "u"), ("ph", "f"), ("ks", "x"))


class Rest(NamedTuple):
    """The words that only one name has, and what it cost to pair the others (0: nothing)."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    cost: float


def normal_company(name: str) -> str:
    """The name for comparison: lower case, Latin letters, no legal form ("siemens" for "Siemens AG").

    A name of nothing but a form keeps it. `normal_company(normal_company(x)) == normal_company(x)`.
    """
    return " ".join(parsed(name).written)


def same_company(name1: str, name2: str) -> bool:
    """True if the names mean one company, as far as names can tell. Symmetric."""
    return match_score(name1, name2) >= THRESHOLD


def match_score(name1: str, name2: str) -> float:
    """How surely two names mean one company: 0 to 1, one company from `THRESHOLD` on. Symmetric."""
    one, other = sorted((parsed(name1), parsed(name2)), key=lambda name: (name.words, name.written))
    if not one.words or not other.words:
        return float(name1 == name2 and bool(name1.strip()))
    tables = legal_forms()
    agreed = _agreement(one, other, tables)
    if agreed is None:
        return _likeness(one, other, tables)
    score = agreed - _form_cost(one, other, tables) - _branch_cost(one, other)
    return max(0.0, round(score, 4)) if score >= THRESHOLD else round(max(0.0, min(score, BELOW)), 4)


def _agreement(one: Name, other: Name, tables: LegalForms) -> float | None:
    """1 less what pairing costs; None if a word is left that tells the two apart."""
    if one.branch and other.branch and one.branch != other.branch:
        return None
    if one.words == other.words or _spaced_alike(one, other):
        return 1.0
    if _glued(one, other) or _glued(other, one):
        return 0.95
    if _is_acronym(one, other) or _is_acronym(other, one):
        return 0.85
    rest = _paired(one, other, tables)
    left, right = _telling(rest.left, other, tables), _telling(rest.right, one, tables)
    if left or right:
        return None
    return 1.0 - rest.cost - 0.03 * (len(rest.left) + len(rest.right))


def _spaced_alike(one: Name, other: Name) -> bool:
    """The same but for spaces; "1&1" is not "11"."""
    numbers, others = _numbers(one), _numbers(other)
    if numbers and others and numbers != others:
        return False
    return one.whole == other.whole or _joined(one.words) == _joined(other.words)


def _numbers(name: Name) -> tuple[str, ...]:
    return tuple(word for word in name.words if word.isdigit())


def _form_cost(one: Name, other: Name, tables: LegalForms) -> float:
    if one.forms == other.forms:
        return 0.0
    if not one.forms or not other.forms:
        return 0.02
    if bool(one.forms & tables.nonprofit) != bool(other.forms & tables.nonprofit):
        return 0.45
    return 0.02 if one.forms & other.forms else 0.06


def _branch_cost(one: Name, other: Name) -> float:
    return 0.0 if one.branch == other.branch else 0.12


def _glued(one: Name, other: Name) -> bool:
    """ "siemensag" against "siemens" and a form "ag"."""
    return not one.forms and any(one.whole == other.whole + form for form in other.forms)


def _is_acronym(short: Name, full: Name) -> bool:
    """ "IBM" against three words and more; "P&G" against two, if both have the sign."""
    letters = short.whole
    if len(short.words) > len(full.words) or len(full.words) < 2 or not letters.isalpha():
        return False
    return letters in full.initials and (len(letters) > 2 or (short.ampersand and full.ampersand))


def _paired(one: Name, other: Name, tables: LegalForms) -> Rest:
    """Takes away what both have: equal words, then misspelt ones, then words that are one in the other name."""
    shared = Counter(one.words) & Counter(other.words)
    left, right = _less(one.words, shared), _less(other.words, shared)
    weight = sum(0.5 if tables.is_known(word) else 1.0 for word in shared if not tables.is_frill(word))
    cost = 0.0
    for word in left[:MOST_WORDS]:
        costs = {mate: price for mate in right if (price := _typing_cost(word, mate, weight, tables)) is not None}
        if costs:
            mate = min(costs, key=lambda each: (costs[each], each))
            left, right, cost = _less(left, Counter([word])), _less(right, Counter([mate])), cost + costs[mate]
    whole = _whole_cost(left, right, tables)
    return Rest(left, right, cost) if whole is None else Rest((), (), cost + whole)


def _whole_cost(left: tuple[str, ...], right: tuple[str, ...], tables: LegalForms) -> float | None:
    """The words that are left, written as one: "van der bilt" and "vanderbilt"."""
    if not left or not right or len(left) == len(right) == 1:
        return None
    one, other = _joined(left), _joined(right)
    if one == other:
        return 0.0 if one.isalpha() else None
    return None if min(len(one), len(other)) < 6 else _typing_cost(one, other, 0.0, tables)


def _typing_cost(one: str, other: str, weight: float, tables: LegalForms) -> float | None:
    """What it costs to take one word for a misspelling of the other; None if it is too far.

    `weight` is what else the names share: short words need more of it.
    """
    if tables.is_known(one) and tables.is_known(other):
        return None
    one, other = _plain(one), _plain(other)
    if one == other:
        return 0.0
    if not (one.isalpha() and other.isalpha()):
        return None
    length = (len(one) + len(other)) / 2
    limit = _limit(length, weight)
    edits = OSA.distance(one, other, score_cutoff=limit) if limit else 1
    return 0.05 + min(0.2, 0.8 * edits / length) if edits <= limit else None


def _limit(length: float, weight: float) -> int:
    if length < 4.5:
        return int(weight >= (1.0 if length >= 3.5 else 2.0) and length >= 3)
    return 1 if length < 8 else 2 if length < 14 else 3


def _telling(words: tuple[str, ...], other: Name, tables: LegalForms) -> tuple[str, ...]:
    """Of words that only one name has, those that make it another company."""
    return tuple(word for word in words if not tables.is_frill(word) and word not in other.branch)


def _likeness(one: Name, other: Name, tables: LegalForms) -> float:
    """A score under the threshold, for ranking what does not match."""
    shared, either = Counter(one.words) & Counter(other.words), Counter(one.words) | Counter(other.words)
    common = _weight(shared, tables) / _weight(either, tables)
    spelled = ratio(_joined(one.words), _joined(other.words)) / 100
    numbers = any(word.isdigit() for word in either - shared)
    return round(BELOW * max(common, spelled * 0.95) * (0.7 if numbers else 1.0), 4)


def _weight(words: Counter[str], tables: LegalForms) -> float:
    return sum(count * _worth(word, tables) for word, count in words.items())


def _worth(word: str, tables: LegalForms) -> float:
    return 0.2 if tables.is_frill(word) else 0.5 if tables.is_known(word) else 1.0


def _less(words: tuple[str, ...], taken: Counter[str]) -> tuple[str, ...]:
    left, kept = Counter(taken), []
    for word in words:
        if left[word] > 0:
            left[word] -= 1
        else:
            kept.append(word)
    return tuple(kept)


def _joined(words: tuple[str, ...]) -> str:
    return "".join(words)


def _plain(word: str) -> str:
    for double, letter in UMLAUTS:
        word = word.replace(double, letter)
    return word
