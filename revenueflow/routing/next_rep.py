"""Who gets a lead next, when those who had it did not act. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from revenueflow.domain.scoring import LeadFacts, Routing, Score
from revenueflow.routing.route import route
from revenueflow.routing.rules import RoutingRules
from revenueflow.routing.selection import Situation
from revenueflow.routing.turns import Rotation


def next_rep(
    rules: RoutingRules,
    facts: LeadFacts,
    score: Score,
    excluded: Mapping[str, str],
    situation: Situation | None = None,
    rotation: Rotation | None = None,
) -> Routing:
    """The routing of the lead as if the excluded reps (id -> why, such as "missed the SLA") were not there.

    Who covers an excluded rep stands in. Nobody left: the default queue, and `queued` says so.
    """
    known = situation or Situation()
    return route(rules, facts, score, replace(known, excluded={**known.excluded, **excluded}), rotation)
