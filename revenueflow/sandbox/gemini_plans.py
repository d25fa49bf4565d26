"""Claims about places, jobs and plans: true ones where a list or a vendor says so, and invented plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from revenueflow.sandbox.dice import Dice
from revenueflow.sandbox.gemini_evidence import Piece, Reading
from revenueflow.sandbox.gemini_words import PLANS, WORDINGS

FAR_CITIES: Final = ("Reykjavik", "Montevideo", "Nairobi", "Hobart", "Busan", "Winnipeg")
RIVALS: Final = ("Zoominfo Copilot", "Clari", "Outreach", "Gainsight", "Pipefy", "Freshworks")
PRODUCTS: Final = ("Orbit 3000", "Nimbus Edge", "Kestrel Pro", "Larkspur Cloud")
USES: Final = ("payroll reconciliation", "warehouse slotting", "clinical trial matching", "crew scheduling")
BUDGETS: Final = (250_000, 735_000, 1_900_000, 48_500)
TIMES: Final = ("Q3 2031", "May 2031", "Q2 2032")
FROM_NEWS: Final = "product_launch"


def place_of(reading: Reading, dice: Dice) -> Piece | None:
    """The city to claim. Where vendors name several, the first, or none."""
    pieces = reading.of("city")
    if not pieces:
        return None
    same = all(other.text.casefold() == pieces[0].text.casefold() for other in pieces[1:])
    return pieces[0] if same or not dice.happens("skip/city", 0.5) else None


def job_lists(reading: Reading) -> Iterator[tuple[Piece, list[str]]]:
    """The lists of job postings with their titles."""
    for piece in reading.of("job_postings"):
        titles = [item for item in piece.value if isinstance(item, str)] if isinstance(piece.value, list) else []
        if titles:
            yield piece, titles


def worded(field: str, dice: Dice, company: str, value: object, about: str = "") -> str:
    """One of the field's wordings."""
    said = dice.pick(f"wording/{field}/{about}", WORDINGS[field]).format(company=company, value=value)
    return said[0].upper() + said[1:]


def other_city(reading: Reading, dice: Dice) -> str | None:
    """A city that stands nowhere in the evidence."""
    return _unsaid("location", FAR_CITIES, reading, dice)


def other_jobs(count: int, dice: Dice) -> int:
    """Another number of jobs."""
    return count + dice.pick("invented/hiring", (1, 2, 5, 20))


def invented_plan(reading: Reading, dice: Dice, turn: int) -> tuple[str, Any, str, str] | None:
    """(field, value, statement, evidence id) of a plan of which nobody spoke. The fields come in turn."""
    field = tuple(PLANS)[turn % len(PLANS)]
    pieces = reading.of("news" if field == FROM_NEWS else "message") or reading.of("description")
    value = CHOICES[field](reading, dice)
    if not pieces or value is None:
        return None
    said = f"${value:,}" if isinstance(value, int) else value
    statement = dice.pick(f"plan/{field}", PLANS[field]).format(company=reading.company, value=said)
    return field, value, statement[0].upper() + statement[1:], pieces[0].id


def _unsaid(about: str, names: tuple[str, ...], reading: Reading, dice: Dice) -> str | None:
    text = reading.text.casefold()
    left = [name for name in names if not any(word.casefold() in text for word in name.split())]
    return dice.pick(f"invented/{about}", left) if left else None


def _amount(reading: Reading, dice: Dice) -> int | None:
    left = [amount for amount in BUDGETS if str(amount) not in reading.numbers]
    return dice.pick("invented/budget", left) if left else None


CHOICES: Final[dict[str, Callable[[Reading, Dice], Any]]] = {
    "budget": _amount,
    "timeline": lambda reading, dice: _unsaid("timeline", TIMES, reading, dice),
    "competitor": lambda reading, dice: _unsaid("competitor", RIVALS, reading, dice),
    "use_case": lambda reading, dice: _unsaid("use_case", USES, reading, dice),
    "product_launch": lambda reading, dice: _unsaid("product_launch", PRODUCTS, reading, dice),
}
