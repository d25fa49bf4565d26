"""What we sell, in the words that the model gets to judge the fit by, and the profile that it is scored with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AliasChoices, Field

from revenueflow.analysis.prompt import LONGEST_OFFER
from revenueflow.domain.base import Value

Text = Annotated[str, Field(max_length=LONGEST_OFFER)]
Line = Annotated[str, Field(min_length=1, max_length=500)]
Lines = Annotated[tuple[Line, ...], Field(max_length=20)]


class Offer(Value):
    """One offer, as people write it in JSON. `profile` names the scoring profile that goes with it."""

    name: Line
    value_propositions: Lines = Field((), validation_alias=AliasChoices("value_propositions", "value_props"))
    ideal_use_cases: Lines = Field((), validation_alias=AliasChoices("ideal_use_cases", "use_cases"))
    profile: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)] | None = None

    @property
    def text(self) -> str:
        """As it stands in the prompt: at most LONGEST_OFFER characters."""
        parts = [f"Offer: {self.name}"]
        for title, lines in (("Value propositions", self.value_propositions), ("Ideal for", self.ideal_use_cases)):
            if lines:
                parts.append("\n".join([f"{title}:", *(f"- {line}" for line in lines)]))
        return "\n".join(parts)[:LONGEST_OFFER]


class Offers(Value):
    """defaults/offer.toml: the offer for all campaigns, and those of single ones; an empty text: none.

    `profiles` names the scoring profile of a campaign's offer; it goes before profiles.toml.
    """

    version: int
    text: Text = ""
    campaigns: Mapping[str, Text] = Field(default_factory=dict)
    profiles: Mapping[str, str] = Field(default_factory=dict)

    def of(self, campaign_id: str) -> str | None:
        """The offer of a campaign."""
        return self.campaigns.get(campaign_id, self.text) or None

    def profile_of(self, campaign_id: str) -> str | None:
        """The profile that the campaign's offer names."""
        return self.profiles.get(campaign_id)
