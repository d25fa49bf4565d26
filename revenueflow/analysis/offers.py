"""defaults/offer.toml: what we sell, in the words that the model gets to judge the fit by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from revenueflow.analysis.prompt import LONGEST_OFFER
from revenueflow.domain.base import Value

Text = Annotated[str, Field(max_length=LONGEST_OFFER)]


class Offers(Value):
    """The offer for all campaigns, and those of single ones; an empty text: none."""

    version: int
    text: Text = ""
    campaigns: Mapping[str, Text] = Field(default_factory=dict)

    def of(self, campaign_id: str) -> str | None:
        """The offer of a campaign."""
        return self.campaigns.get(campaign_id, self.text) or None
