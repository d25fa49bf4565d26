"""The words of dates, English and German."""

from __future__ import annotations

from typing import Final

MONTHS: Final = (
    ("january", "jan", "januar", "jänner"), ("february", "feb", "februar"), ("march", "mar", "märz", "mrz"),
    ("april", "apr"), ("may", "mai"), ("june", "jun", "juni"), ("july", "jul", "juli"), ("august", "aug"),
    ("september", "sept", "sep"), ("october", "oct", "oktober", "okt"), ("november", "nov"),
    ("december", "dec", "dezember", "dez"),
)  # fmt: skip
MONTH_OF: Final = {name: place for place, names in enumerate(MONTHS, start=1) for name in names}
COUNTS: Final = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "nine": 9, "twelve": 12,
    "ein": 1, "einem": 1, "einer": 1, "zwei": 2, "drei": 3, "vier": 4, "sechs": 6, "zwölf": 12,
    "a few": 3, "couple of": 2,
}  # fmt: skip
UNITS: Final = {
    "day": 1, "days": 1, "tag": 1, "tage": 1, "tagen": 1, "week": 7, "weeks": 7, "woche": 7, "wochen": 7,
    "month": 30, "months": 30, "monat": 30, "monate": 30, "monaten": 30, "quarter": 91, "quarters": 91, "quartal": 91,
    "quartale": 91, "quartalen": 91, "year": 365, "years": 365, "jahr": 365, "jahre": 365, "jahren": 365,
}  # fmt: skip
ORDINALS: Final = {"first": 1, "1st": 1, "1": 1, "second": 2, "2nd": 2, "2": 2, "third": 3, "3rd": 3, "3": 3,
                   "fourth": 4, "4th": 4, "4": 4, "erste": 1, "ersten": 1, "zweite": 2, "zweiten": 2,
                   "dritte": 3, "dritten": 3, "vierte": 4, "vierten": 4}  # fmt: skip
EARLY: Final = ("early", "beginning", "start", "anfang")
ALSO_WORDS: Final = ("may", "march", "mar", "sep", "jan")
MIDDLE: Final = ("mid", "middle", "mitte")
HINTS: Final[dict[str, str]] = (
    dict.fromkeys(MONTH_OF, "month")
    | dict.fromkeys(UNITS, "unit")
    | dict.fromkeys(("q1", "q2", "q3", "q4"), "quarter")
    | dict.fromkeys(("h1", "h2", "half"), "half")
    | dict.fromkeys(("jahresende", "quartalsende", "monatsende"), "unit")
    | dict.fromkeys(
        ("tomorrow", "yesterday", "gestern", "asap", "soon", "schnell", "immediately", "sofort", "away"), "word"
    )
    | dict.fromkeys(("recently", "lately", "now", "kürzlich", "kurzem", "neulich"), "word")
)
"""Words without which a text has no date of a kind: most texts have none, and are told by this alone."""
BESIDE: Final[dict[str, frozenset[str]]] = {
    "prefix": frozenset((
        "by", "before", "until", "till", "later", "bis", "spätestens", "the", "zum", "den", "der", "des",
        "early", "mid", "middle", "late", "end", "beginning", "start", "anfang", "mitte", "ende",
    )),
    "which": frozenset((
        "this", "current", "next", "coming", "upcoming", "following", "last", "previous", "past", "diesen", "diesem",
        "dieser", "dieses", "diese", "nächste", "nächsten", "nächstem", "nächster", "nächstes", "kommende", "kommenden",
        "kommendem", "kommender", "kommendes", "letzte", "letzten", "letztem", "letzter", "letztes", "vergangene",
        "vergangenen", "vergangenem", "vergangener", "vergangenes", "laufende", "laufenden", "laufendem", "laufender",
        "laufendes",
    )),
    "end": frozenset(("end", "ende", "jahresende", "jahresend", "quartalsende", "quartalsend", "monatsende",
                      "monatsend", "yearend", "yearende", "quarterend", "quarterende", "monthend", "monthende")),
    "ahead": frozenset((
        "within", "in", "over", "during", "inside", "innerhalb", "binnen", "next", "coming", "nächsten", "kommenden",
    )),
    "ago": frozenset(("ago", "vor")),
}  # fmt: skip
"""Words of which one stands beside those, or before a date ("prefix")."""
