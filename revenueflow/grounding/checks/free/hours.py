"""Opening hours that a part states, against those of the record."""

from __future__ import annotations

from revenueflow.grounding.free.finding import Finding, Stance
from revenueflow.grounding.free.leaves import Leaves
from revenueflow.grounding.free.opening import EITHER_HALF, LATE, LONGER, TALK, VARIES, Claimed, Clock, claimed_hours
from revenueflow.grounding.free.parts import Part
from revenueflow.grounding.free.week import DAYS, WHOLE_DAY, Week, week

LATE_FROM = 22 * 60
WEEKEND = frozenset((4, 5, 6))


def hours(part: Part, leaves: Leaves) -> Finding | None:
    """Each day has the hours that are said of it. A record without hours can't back any."""
    if not TALK.search(part.text) or not leaves.record:
        return None
    known = leaves.once(week)
    said = claimed_hours(part.text)
    said = tuple(claim for claim in said if claim.days or claim.opens or claim.closes)
    lists = leaves.lists
    if known is None:
        hedged = any(clause.hedged for clause in part.clauses(lists))
        if LATE.search(part.text):
            return Finding(Stance.MISSING, "hours", lists.score("hours_unknown", 0.2), "open late")
        if not said or hedged or all(claim.closes == Clock(WHOLE_DAY, vague=False) for claim in said):
            return None
        return Finding(Stance.MISSING, "hours", lists.score("hours_unknown", 0.2))
    wrong = next((claim for claim in said if not _holds(claim, known)), None)
    if wrong is not None or not _compared(part.text, known):
        return Finding(
            Stance.DISAGREES, "hours", lists.score("hours_denied", 0.05), _shown(wrong), _week(known), known.leaves
        )
    if said:
        return Finding(Stance.AGREES, "hours", lists.score("hours_agree", 0.97), _shown(said[0]), None, known.leaves)
    return None


def _holds(claim: Claimed, known: Week) -> bool:
    if claim.closed:
        return not claim.days & known.open_days
    days = claim.days or known.open_days
    right = [day for day in days if _open_so(claim, known, day)]
    return len(right) == len(days) if claim.days else 2 * len(right) >= len(days)


def _open_so(claim: Claimed, known: Week, day: int) -> bool:
    span = known.spans[day]
    if span is None:
        return False
    return _same(claim.opens, span.opens) and _same(claim.closes, span.closes)


def _same(claimed: Clock | None, found: int) -> bool:
    if claimed is None:
        return True
    circle = EITHER_HALF if claimed.vague else WHOLE_DAY
    return claimed.minutes % circle == found % circle


def _compared(text: str, known: Week) -> bool:
    """ "Extended hours on weekends", "hours vary": true only if the record's days differ so."""
    lengths = {day: span.closes - span.opens for day, span in known.spans.items() if span is not None}
    if VARIES.search(text) and len(set(known.spans.values())) < 2:
        return False
    if LATE.search(text) and not any(span.closes >= LATE_FROM for span in known.spans.values() if span is not None):
        return False
    if not LONGER.search(text) or "weekend" not in text.lower():
        return True
    weekdays = [length for day, length in lengths.items() if day not in WEEKEND]
    return any(length > min(weekdays, default=0) for day, length in lengths.items() if day in WEEKEND)


def _shown(claim: Claimed | None) -> str | None:
    if claim is None:
        return None
    days = ", ".join(DAYS[day] for day in sorted(claim.days)) or "open days"
    if claim.closed:
        return f"{days}: closed"
    return f"{days}: {_time(claim.opens)}-{_time(claim.closes)}" if claim.opens or claim.closes else f"{days}: open"


def _time(clock: Clock | None) -> str:
    return "…" if clock is None else f"{clock.minutes // 60}:{clock.minutes % 60:02}"


def _week(known: Week) -> str:
    shown = (
        f"{DAYS[day]} {'closed' if span is None else f'{_clock(span.opens)}-{_clock(span.closes)}'}"
        for day, span in known.spans.items()
    )
    return ", ".join(shown)


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24}:{minutes % 60:02}"
