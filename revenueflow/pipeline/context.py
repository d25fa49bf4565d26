"""What a step is given besides the lead: the results before it, and the capabilities it may use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from revenueflow.analysis.base import Analyst
from revenueflow.analysis.paid import Paid
from revenueflow.analysis.pricing import ModelRules
from revenueflow.analysis.prompt import PromptTemplate
from revenueflow.db.direct import Direct
from revenueflow.db.jobs import Lease
from revenueflow.db.session import Database
from revenueflow.domain.base import Value
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.enrichment.waterfall import Waterfall
from revenueflow.grounding.rules import GroundingRules
from revenueflow.mcp.call import Caller
from revenueflow.mcp.registry import Registry
from revenueflow.pipeline.company_owners import CompanyBook
from revenueflow.pipeline.offers import OfferBook
from revenueflow.pipeline.roster import Roster
from revenueflow.pipeline.track_record import TrackRecord
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.sla import Sla
from revenueflow.scoring.profile import Profiles
from revenueflow.sources.hubspot_contacts import HubSpotContacts

V = TypeVar("V", bound=Value)


@dataclass(frozen=True, slots=True)
class Services:
    """The capabilities of a worker; wiring chooses the providers behind them.

    `opinions` are the models that may be asked for a second opinion: none unless that is turned on.
    """

    database: Database
    direct: Direct
    registry: Registry
    waterfall: Waterfall
    analysts: Sequence[Analyst]
    models: ModelRules
    prompt: PromptTemplate
    opinion_prompt: PromptTemplate
    offers: OfferBook
    vocabulary: Vocabulary
    grounding: GroundingRules
    profiles: Profiles
    routing: RoutingRules
    sla: Sla
    roster: Roster
    track_record: TrackRecord
    companies: CompanyBook
    opinions: Sequence[Paid] = ()
    hubspot: HubSpotContacts | None = None
    slack_channel: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """One run of a job."""

    lease: Lease
    now: datetime
    services: Services
    results: dict[type[Value], Value] = field(default_factory=dict)

    def result(self, kind: type[V]) -> V:
        """The result of an earlier step of this run."""
        found = self.results[kind]
        if not isinstance(found, kind):
            raise TypeError(kind.__name__)
        return found

    @property
    def caller(self) -> Caller:
        """The pipeline, as the guard knows it: fenced by the lease."""
        return Caller("pipeline", "pipeline", self.lease, self.lease.trace_id)
