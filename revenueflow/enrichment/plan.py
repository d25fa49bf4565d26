"""What to ask next: a decision on what is wanted, what is known already, and who can be asked. No I/O.

Round by round: in each, every signal that still lacks an answer names the next provider in its order. What one answer
may bring for several signals is asked once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from revenueflow.domain.evidence import Evidence, Signal
from revenueflow.domain.lead import Lead
from revenueflow.domain.quantity import count_range
from revenueflow.enrichment.base import KeyKind, Lookup, Subject
from revenueflow.enrichment.rules import NO_CONDITION, Condition, SignalRule

Offers = Mapping[str, Sequence[Lookup]]
"""The lookups of each provider that is set up, by its name."""
Asked = Collection[tuple[str, str]]
"""(provider, lookup) of what was asked already, whatever came of it."""
Choices = Mapping[Signal, Sequence[tuple[str, Lookup]]]
"""For each signal the lookups that a lead has a key for, by the order of the rules."""


class Wanted(NamedTuple):
    """One question that should be asked, and the signals that want it."""

    provider: str
    lookup: Lookup
    key: str
    signals: frozenset[Signal]


@dataclass(frozen=True, slots=True)
class Known:
    """A lead and what providers have said of it so far; `pending` are those whose answer is worth waiting for."""

    lead: Lead
    subject: Subject
    evidence: Sequence[Evidence] = ()
    pending: Asked = frozenset()
    _givers: dict[Signal, set[str]] = field(init=False)

    def __post_init__(self) -> None:
        givers: dict[Signal, set[str]] = {}
        for one in self.evidence:
            givers.setdefault(one.signal, set()).add(one.provider)
        object.__setattr__(self, "_givers", givers)

    def givers(self, signal: Signal) -> frozenset[str]:
        """The providers that have given a value for it."""
        return frozenset(self._givers.get(signal, ()))

    def key(self, lookup: Lookup) -> str | None:
        """What the lookup is made with."""
        return key_of(lookup, self.subject)


def next_round(rules: Mapping[Signal, SignalRule], known: Known, choices: Choices, asked: Asked) -> list[Wanted]:
    """The questions of the next round, each once, in the order of the rules; empty when nothing is left to ask."""
    wanted: dict[tuple[str, str], Wanted] = {}
    for signal, rule in rules.items():
        if holds(rule.only_if, known):
            for provider, lookup in _for_signal(signal, rule, known, choices[signal], asked, wanted):
                earlier = wanted.get((provider, lookup.name))
                signals = (earlier.signals if earlier else frozenset()) | {signal}
                wanted[provider, lookup.name] = Wanted(provider, lookup, known.key(lookup) or "", signals)
    return list(wanted.values())


def _for_signal(
    signal: Signal,
    rule: SignalRule,
    known: Known,
    choices: Sequence[tuple[str, Lookup]],
    asked: Asked,
    wanted: Collection[tuple[str, str]],
) -> list[tuple[str, Lookup]]:
    """So many questions as answers are lacking. What is asked in this round anyway goes first: it may bring one."""
    givers = known.givers(signal)
    if known.pending:
        givers |= {one for one, lookup in choices if (one, lookup.name) in known.pending}
    lacking = rule.answers - sum(provider in givers for provider in rule.providers)
    if lacking <= 0:
        return []
    able = [one for one in choices if one[0] not in givers and (one[0], one[1].name) not in asked]
    able.sort(key=lambda one: (one[0], one[1].name) not in wanted)
    return able[:lacking]


def choices_of(rules: Mapping[Signal, SignalRule], subject: Subject, offers: Offers) -> Choices:
    """What could be asked about somebody; the same for all that have keys of the same kinds."""
    found: dict[Signal, list[tuple[str, Lookup]]] = {}
    for signal, rule in rules.items():
        each = [(provider, choice(signal, provider, subject, offers)) for provider in rule.providers]
        found[signal] = [(provider, lookup) for provider, lookup in each if lookup and key_of(lookup, subject)]
    return found


def key_of(lookup: Lookup, subject: Subject) -> str | None:
    """What the lookup is made with; None if there is nothing of that kind."""
    return subject.domain if lookup.key is KeyKind.DOMAIN else subject.email


def choice(signal: Signal, provider: str, subject: Subject, offers: Offers) -> Lookup | None:
    """The provider's lookup for a signal: the first for which there is a key, else the first."""
    able = [lookup for lookup in offers.get(provider, ()) if signal in lookup.signals]
    return next((lookup for lookup in able if key_of(lookup, subject)), able[0] if able else None)


def holds(condition: Condition, known: Known) -> bool:
    """Whether all that the condition sets is so."""
    if condition is NO_CONDITION or condition == NO_CONDITION:
        return True
    form = known.lead.form
    if any(getattr(form, name) for name in condition.missing):
        return False
    if not all(getattr(form, name) for name in condition.given):
        return False
    return (
        _among(known.lead.country, condition.country)
        and _among(known.lead.source, condition.source)
        and _in_range(condition, known)
    )


def _among(value: str | None, allowed: Sequence[str]) -> bool:
    return not allowed or (value or "").casefold() in {one.casefold() for one in allowed}


def _in_range(condition: Condition, known: Known) -> bool:
    if condition.headcount_from is None and condition.headcount_to is None:
        return True
    told = [count_range(one.value) for one in known.evidence if one.signal is Signal.HEADCOUNT]
    counts = [one.midpoint for one in told if one is not None]
    low, high = condition.headcount_from or 0, condition.headcount_to
    return bool(counts) and low <= counts[0] and (high is None or counts[0] <= high)


def why_not(signal: Signal, provider: str, subject: Subject, offers: Offers) -> str:
    """Why a provider was not asked: `not_configured`, `not_offered`, `no_domain`, `no_email` or `not_needed`."""
    if provider not in offers:
        return "not_configured"
    lookup = choice(signal, provider, subject, offers)
    if lookup is None:
        return "not_offered"
    return "not_needed" if key_of(lookup, subject) else f"no_{lookup.key.value}"
