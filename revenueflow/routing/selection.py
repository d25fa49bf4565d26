"""Who of the reps that a rule names can and should get a lead: first who can't, then what sets the others apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from revenueflow.routing import hours
from revenueflow.routing.conditions import Subject
from revenueflow.routing.reps import Rep
from revenueflow.routing.rules import OutOfHours, RoutingRules


class Outcomes(NamedTuple):
    """What became of a rep's leads that are similar: how many converted, of how many that were decided."""

    converted: int
    of: int


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known besides the lead, at the moment at which it is routed.

    Without `now` nobody is on leave and everybody works. `opportunity_owner` and `account_owner` are those that the CRM
    tells, `remark` what it does not; `company_owner` has the company's last lead; `moved_to` is whom the lead itself
    was given to, by a person or because somebody did not act; `open_leads` says how many each rep has; `excluded` who
    must not get it, and why.
    """

    now: datetime | None = None
    opportunity_owner: str | None = None
    account_owner: str | None = None
    company_owner: str | None = None
    remark: str | None = None
    moved_to: str | None = None
    open_leads: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, Outcomes] = field(default_factory=dict)
    excluded: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Sieve:
    """Reps that are looked at for one lead, and why those who fell through did."""

    rules: RoutingRules
    lead: Subject
    situation: Situation
    why_not: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)

    def able(self, ids: Sequence[str], *, any_load: bool = False) -> list[Rep]:
        """Those who can take the lead; who covers stands in for the absent. `any_load`: also who is full."""
        found: dict[str, Rep] = {}
        for rep_id in ids:
            rep = self._able(rep_id, any_load=any_load)
            if rep is None and (stand_in := self._stand_in(rep_id)):
                rep = self._able(stand_in, any_load=any_load)
                if rep:
                    self.path.append(f"{rep.id} stands in for {rep_id}")
            if rep:
                found.setdefault(rep.id, rep)
        return list(found.values())

    def _able(self, rep_id: str, *, any_load: bool) -> Rep | None:
        rep = self.rules.by_id.get(rep_id)
        reason = "no rep has this id" if rep is None else self._unable(rep, any_load=any_load)
        if reason:
            self.reject(rep_id, reason)
        return None if reason else rep

    def _unable(self, rep: Rep, *, any_load: bool) -> str | None:
        if rep.id in self.situation.excluded:
            return self.situation.excluded[rep.id]
        if self.situation.now and (until := hours.on_leave(rep, self.situation.now)):
            return f"on leave until {until.isoformat()}"
        load = self.situation.open_leads.get(rep.id, 0)
        if rep.capacity is not None and load >= rep.capacity and not any_load:
            return f"has {load} open leads of {rep.capacity}"
        return None

    def _stand_in(self, rep_id: str) -> str | None:
        rep, now = self.rules.by_id.get(rep_id), self.situation.now
        if rep is None:
            return None
        absent = rep_id in self.situation.excluded or (now and hours.on_leave(rep, now))
        return rep.covered_by if absent else None

    def reject(self, rep_id: str, reason: str) -> None:
        """Notes why a rep does not get the lead; the first reason stays."""
        self.why_not.setdefault(rep_id, reason)

    def keep(self, reps: Sequence[Rep], fits: Callable[[Rep], bool], name: str, why_not: str) -> list[Rep]:
        """Those who fit, if anybody does; else all."""
        kept = [rep for rep in reps if fits(rep)]
        if not kept or len(kept) == len(reps):
            return list(reps)
        for rep in reps:
            if rep not in kept:
                self.reject(rep.id, why_not)
        self.path.append(f"{name}: {_listed(kept)}")
        return kept

    def prefer(self, reps: list[Rep], out_of_hours: OutOfHours) -> list[Rep]:
        """Of those who can, those who should, by the order of [selection]."""
        steps: dict[str, Callable[[list[Rep]], list[Rep]]] = {
            "expertise": self._expert,
            "language": self._speaking,
            "time_zone": self._near,
            "hours": lambda left: self._working(left, out_of_hours),
            "performance": self._converting,
        }
        for name in self.rules.selection.order:
            if len(reps) > 1 or name == "hours":
                reps = steps[name](reps)
        return reps

    def _expert(self, reps: list[Rep]) -> list[Rep]:
        asked = {self.lead.industry, self.lead.campaign} - {None}
        what = f"no expertise in {self.lead.industry or self.lead.campaign}"
        return self.keep(reps, lambda rep: bool(asked & set(rep.expertise)), "expertise", what)

    def _speaking(self, reps: list[Rep]) -> list[Rep]:
        language = self.lead.language or self.rules.country_languages.get(self.lead.country or "")
        if language is None:
            return reps
        return self.keep(
            reps, lambda rep: language in rep.languages, f"language {language}", f"does not speak {language}"
        )

    def _near(self, reps: list[Rep]) -> list[Rep]:
        there = offset(self.lead.time_zone, self.situation.now)
        if there is None:
            return reps
        most = timedelta(hours=self.rules.selection.time_zone_hours)
        apart = {rep.id: abs((offset(rep.timezone, self.situation.now) or timedelta()) - there) for rep in reps}
        return self.keep(reps, lambda rep: apart[rep.id] <= most, "time zone", f"clock differs by more than {most}")

    def _working(self, reps: list[Rep], out_of_hours: OutOfHours) -> list[Rep]:
        now = self.situation.now
        if now is None or out_of_hours == "assign":
            return reps
        opening = {rep.id: self._opens_at(rep, now) for rep in reps}
        if (
            all(at > now for at in opening.values())
            and out_of_hours == "cover"
            and (cover := self._covering(reps, now))
        ):
            return cover
        first = min(opening.values(), default=now)
        name = "hours" if first <= now else f"opens first, {_minute(first)}"
        return self.keep(reps, lambda rep: opening[rep.id] <= max(first, now), name, "does not work now")

    def _covering(self, reps: list[Rep], now: datetime) -> list[Rep]:
        others = self.able(list(dict.fromkeys(rep.covered_by for rep in reps if rep.covered_by)))
        working = [rep for rep in others if self._opens_at(rep, now) <= now]
        if working:
            self.path.append(f"after hours, covered by {_listed(working)}")
            for rep in reps:
                if rep not in working:
                    self.reject(rep.id, "does not work now, is covered")
        return working

    def _opens_at(self, rep: Rep, now: datetime) -> datetime:
        return hours.opens_at(rep, self.rules.follow_up.working_hours, now) or datetime.max.replace(tzinfo=UTC)

    def _converting(self, reps: list[Rep]) -> list[Rep]:
        rates = self._rates(reps)
        best = max(rates.values()) - self.rules.selection.margin
        return self.keep(reps, lambda rep: rates[rep.id] >= best, "performance", "converts fewer similar leads")

    def _rates(self, reps: list[Rep]) -> dict[str, float]:
        """Shares of similar leads that converted, drawn towards that of all reps together while there are few."""
        known = {rep.id: self.situation.outcomes.get(rep.id, Outcomes(0, 0)) for rep in reps}
        decided = sum(one.of for one in known.values())
        usual = sum(one.converted for one in known.values()) / decided if decided else 0.0
        added = self.rules.selection.smoothing
        return {rep_id: (one.converted + added * usual) / (one.of + added) for rep_id, one in known.items()}


def offset(time_zone: str | None, now: datetime | None) -> timedelta | None:
    """How far the clocks of a zone are from UTC, None if the zone or the time is not known."""
    if not time_zone or now is None:
        return None
    try:
        return now.astimezone(ZoneInfo(time_zone)).utcoffset()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _listed(reps: Sequence[Rep]) -> str:
    return ", ".join(rep.id for rep in reps)


def _minute(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%MZ")
