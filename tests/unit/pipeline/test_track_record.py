"""Which leads are similar, for what became of a rep's leads."""

from __future__ import annotations

from revenueflow.db.outcomes import Conversion
from revenueflow.domain.scoring import LeadFacts
from revenueflow.pipeline.track_record import similar

KNOWN = [
    Conversion("ann", "software", "51-200", 10, 4),
    Conversion("ann", "retail", "51-200", 5, 1),
    Conversion("bob", "retail", "11-50", 7, 7),
    Conversion("bob", None, None, 9, 9),
]


def test_those_of_the_same_industry_or_size_are() -> None:
    assert similar(KNOWN, LeadFacts(campaign_id="c", industry="software", headcount=60)) == {"ann": (5, 15)}
    assert similar(KNOWN, LeadFacts(campaign_id="c", industry="retail")) == {"ann": (1, 5), "bob": (7, 7)}


def test_what_is_not_known_is_like_nothing() -> None:
    assert similar(KNOWN, LeadFacts(campaign_id="c")) == {}
    assert similar([], LeadFacts(campaign_id="c", industry="retail")) == {}
