"""Who would get each row of a file, by the routing rules alone: no database, no clock, nothing stored.

The same file with the same rules gives the same owners: rows are routed in their order, turns begin with the file, and
nobody is on leave or asleep, as a row has no time. A company stays with the rep that its first row went to, among the
last COMPANIES that were seen.
"""

from __future__ import annotations

from dataclasses import dataclass

from revenueflow.domain.lead import LeadForm, Tier
from revenueflow.domain.recent import Recent
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.form_facts import FormFacts
from revenueflow.routing import places
from revenueflow.routing.conditions import Subject
from revenueflow.routing.route import Shortlist, shortlist
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.selection import Situation
from revenueflow.routing.turns import Rotation, next_turn

REMEMBERED = 8192
COMPANIES = 50_000


@dataclass(slots=True)
class _Company:
    owner_id: str | None = None


class FileOwners:
    """Routes the rows of one file, one after the other."""

    def __init__(self, rules: RoutingRules, vocabulary: Vocabulary, companies: int = COMPANIES) -> None:
        self._rules = rules
        self._facts = FormFacts(vocabulary)
        self._subjects: Recent[tuple[object, ...], Subject] = Recent(REMEMBERED)
        self._known: Recent[tuple[object, ...], Shortlist] = Recent(REMEMBERED)
        self._companies: Recent[str, _Company] = Recent(companies)
        self._rotations: dict[str, Rotation] = {}

    def owner(self, form: LeadForm, campaign_id: str, tier: Tier) -> str:
        """The name of the rep that the next row goes to; of the default queue if nobody gets it."""
        lead = self._subject(form, campaign_id, tier)
        domain = lead.domain if self._rules.existing_owner else None
        company = self._companies.get(domain, _Company) if domain else _Company()
        rep_id = self._taker(self._shortlist(lead, company.owner_id))
        company.owner_id = rep_id or company.owner_id
        owner_id = rep_id or self._rules.default_owner
        rep = self._rules.by_id.get(owner_id)
        return rep.name if rep else owner_id

    def _subject(self, form: LeadForm, campaign_id: str, tier: Tier) -> Subject:
        key = form.country, form.headcount, form.industry, form.state, form.postcode, form.location, form.language
        lead = self._subjects.get((key, campaign_id, tier), lambda: self._read(form, campaign_id, tier))
        return lead._replace(domain=self._facts.company_domain(form), company=form.company)

    def _read(self, form: LeadForm, campaign_id: str, tier: Tier) -> Subject:
        facts = self._facts.of(form, campaign_id)
        state, code = places.told(form.state, form.postcode, form.location, facts.country)
        return Subject(
            facts.country, facts.headcount, facts.industry, tier, state, code,
            language=places.language(form.language), campaign=campaign_id,
        )  # fmt: skip

    def _shortlist(self, lead: Subject, owner_id: str | None) -> Shortlist:
        # Whose company it is counts for named accounts only.
        key = lead if self._rules.accounts else lead._replace(domain=None, company=None)
        situation = Situation(company_owner=owner_id)
        return self._known.get((key, owner_id), lambda: shortlist(self._rules, lead, situation))

    def _taker(self, found: Shortlist) -> str | None:
        if len(found.reps) < 2:
            return found.reps[0].id if found.reps else None
        turn = next_turn(self._rotations.get(found.pool, Rotation()), found.reps)
        self._rotations[found.pool] = turn.rotation
        return turn.rep_id
