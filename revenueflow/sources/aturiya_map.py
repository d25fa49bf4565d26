"""The one table of what Aturiya calls things: defaults/aturiya.toml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from revenueflow import defaults
from revenueflow.domain.base import Value
from revenueflow.sources.aliases import Understood, plain, understand

Places = list[Annotated[str, Field(min_length=1)]]
LeadField = Literal[
    "source_id", "email", "first_name", "last_name", "name", "title", "phone", "linkedin_url", "company", "website",
    "industry", "headcount", "country", "location", "message",
]  # fmt: skip
LONGEST_ID = 200


class Paths(Value):
    """Where things are asked for; `{id}` stands for the campaign."""

    campaigns: Annotated[str, Field(pattern=r"^/")]
    leads: Annotated[str, Field(pattern=r"^/.*\{id\}")]


class Parameters(Value):
    """Names of query parameters."""

    user_id: str
    agent_id: str
    page: str
    page_size: str


class AnswerPlaces(Value):
    """Where an answer holds its items."""

    campaigns: str
    leads: str
    next_page: str


class CampaignPlaces(Value):
    """Where a campaign holds its fields."""

    id: Places
    name: Places
    leads: Places


class AturiyaMap(Value):
    """defaults/aturiya.toml."""

    paths: Paths
    parameters: Parameters
    answer: AnswerPlaces
    campaign: CampaignPlaces
    lead: dict[LeadField, Places]

    @classmethod
    def load(cls, config_dir: Path | None = None) -> AturiyaMap:
        """Raises ConfigurationError that names the file and the key."""
        return defaults.load(cls, "aturiya.toml", config_dir)


class Campaign(NamedTuple):
    """A campaign as its source knows it; `leads` is how many it says it has."""

    id: str
    name: str | None
    leads: int | None


def campaign(item: object, table: AturiyaMap) -> Campaign | None:
    """None for what has no id."""
    places = table.campaign
    id_ = first(item, places.id)
    if id_ is None or len(id_) > LONGEST_ID:
        return None
    count = first(item, places.leads) or ""
    return Campaign(id_, first(item, places.name), int(count) if count.isdecimal() and len(count) < 10 else None)


def lead(item: object, campaign_id: str, table: AturiyaMap) -> Understood:
    """A lead in our words, in the campaign that it was listed in."""
    told: dict[str, object] = {field: first(item, places) for field, places in table.lead.items()}
    source_id = told.pop("source_id", None)
    named = {field.replace("_", " "): value for field, value in told.items()}
    understood = understand(named | {"source": "Aturiya"})
    own = str(source_id) if source_id else None
    return understood.model_copy(update={"campaign_id": campaign_id, "source_id": own})


def first(item: object, places: Places) -> str | None:
    """The first of the places that holds a text or a number, as text."""
    return next((text for place in places if (text := plain(at(item, place)))), None)


def at(item: object, place: str) -> Any:
    """What stands at a dotted place; None if nothing does."""
    for part in place.split("."):
        if isinstance(item, Mapping):
            item = item.get(part)
        elif isinstance(item, list) and part.isdecimal() and int(part) < len(item):
            item = item[int(part)]
        else:
            return None
    return item
