"""What a factor may look at: the facts of a lead by name, each with the evidence that it was taken from."""

from __future__ import annotations

from dataclasses import dataclass, field

from revenueflow.domain.claim import Judgement
from revenueflow.domain.scoring import LONGEST_TEXT, LeadFacts
from revenueflow.domain.vocabulary import Vocabulary

_DERIVED_FROM = {"seniority": "title", "department": "title", "industry_text": "industry"}
_OF_TITLE = ("seniority", "department")
_FLAGS = frozenset({"email", "work_email", "phone", "name", "bio"})
"""Known or not, and no more than that."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """One lead. Seniority and department are read off the title by the vocabulary.

    `is_modelled`: a model answered, not the rules in its place. `reached` are the points of the factors so far,
    `understood` the facts in which one of them found a word of its table.
    """

    facts: LeadFacts
    judgement: Judgement | None
    vocabulary: Vocabulary
    is_modelled: bool = True
    reached: dict[str, int] = field(default_factory=dict)
    understood: set[str] = field(default_factory=set)

    def text(self, fact: str) -> str | None:
        """A fact as text; None if it is not known."""
        if fact in _OF_TITLE:
            return self._of_title(fact)
        value = self._given(fact)
        return value if value and len(value) <= LONGEST_TEXT else None

    @staticmethod
    def source(fact: str) -> str:
        """The fact that this one is read from: the title for a seniority; itself for most."""
        return _DERIVED_FROM.get(fact, fact)

    @staticmethod
    def field(fact: str) -> str:
        """The field of the form that it is about: `email` for a work email."""
        return "email" if fact == "work_email" else Inputs.source(fact)

    def unread(self, fact: str) -> str | None:
        """What was given for a fact that has no value, as it was written; None if nothing was."""
        source = self.source(fact)
        if source in _FLAGS:
            return self.facts.unread.get(self.field(fact))
        value = self._given(source)
        if isinstance(value, str) and (fact != source or len(value) > LONGEST_TEXT):
            return value
        return self.facts.unread.get(source)

    def _given(self, fact: str) -> str | None:
        value: str | None = getattr(self.facts, fact)
        if fact == "industry_text":
            value = value or self.facts.industry
        return value or None

    def number(self, fact: str) -> int | None:
        """A fact as a number; None if it is not known."""
        value: int | None = getattr(self.facts, fact)
        return value

    def known(self, fact: str) -> bool:
        """True if the fact was given or found. What is too long to be one is not: `text` does not read it either."""
        facts = self.facts
        given = {
            "email": facts.email_given,
            "work_email": facts.email_given and not facts.free_mail and not facts.disposable,
            "phone": facts.phone_given,
            "name": facts.name_given,
            "bio": facts.bio_given,
        }
        if fact in given:
            return given[fact]
        if fact in _OF_TITLE:
            return self._of_title(fact) is not None
        value = self._given(fact) if fact == "industry_text" else getattr(facts, fact)
        return value not in (None, "") and not (isinstance(value, str) and len(value) > LONGEST_TEXT)

    def evidence(self, *facts: str) -> tuple[str, ...]:
        """The ids of the evidence behind facts, each once, in order."""
        found = (id_ for fact in facts for id_ in self.facts.evidence.get(_DERIVED_FROM.get(fact, fact), ()))
        return tuple(dict.fromkeys(found))

    def _of_title(self, fact: str) -> str | None:
        title = self.text("title")
        if title is None:
            return None
        read = self.vocabulary.seniority if fact == "seniority" else self.vocabulary.department
        return read(title)
