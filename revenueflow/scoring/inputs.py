"""What a factor may look at: the facts of a lead by name, each with the evidence that it was taken from."""

from __future__ import annotations

from dataclasses import dataclass

from revenueflow.domain.claim import Judgement
from revenueflow.domain.scoring import LeadFacts
from revenueflow.domain.vocabulary import Vocabulary

_DERIVED_FROM = {"seniority": "title", "department": "title"}


@dataclass(frozen=True, slots=True)
class Inputs:
    """One lead. Seniority and department are read off the title by the vocabulary."""

    facts: LeadFacts
    judgement: Judgement | None
    vocabulary: Vocabulary

    def text(self, fact: str) -> str | None:
        """A fact as text; None if it is not known."""
        if fact in _DERIVED_FROM:
            return self._of_title(fact)
        value: str | None = getattr(self.facts, fact)
        return value or None

    def number(self, fact: str) -> int | None:
        """A fact as a number; None if it is not known."""
        value: int | None = getattr(self.facts, fact)
        return value

    def known(self, fact: str) -> bool:
        """True if the fact was given or found."""
        facts = self.facts
        given = {
            "email": facts.email_given,
            "work_email": facts.email_given and not facts.free_mail and not facts.disposable,
            "phone": facts.phone_given,
            "name": facts.name_given,
        }
        return given[fact] if fact in given else getattr(facts, fact) not in (None, "")

    def evidence(self, *facts: str) -> tuple[str, ...]:
        """The ids of the evidence behind facts, each once, in order."""
        found = (id_ for fact in facts for id_ in self.facts.evidence.get(_DERIVED_FROM.get(fact, fact), ()))
        return tuple(dict.fromkeys(found))

    def _of_title(self, fact: str) -> str | None:
        if not self.facts.title:
            return None
        read = self.vocabulary.seniority if fact == "seniority" else self.vocabulary.department
        return read(self.facts.title)
