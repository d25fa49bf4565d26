"""Where leads are pulled from, and which URLs from outside may be fetched."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from revenueflow.settings.base import Group, HttpUrl, env, split


def _allowed(entries: tuple[str, ...]) -> tuple[str, ...]:
    for entry in entries:
        if not (_is_network(entry) or _is_endpoint(entry)):
            raise PydanticCustomError("outside", "each entry must be host:port ([::1]:port for IPv6) or a CIDR")
    return entries


def _is_network(entry: str) -> bool:
    try:
        ip_network(entry, strict=False)
    except ValueError:
        return False
    return True


def _is_endpoint(entry: str) -> bool:
    host, _, port = entry.rpartition(":")
    return bool(host) and "/" not in host and port.isascii() and port.isdigit() and 0 < int(port) < 65536


OutsideAllow = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split), AfterValidator(_allowed)]
FieldName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,100}$")]
FieldNames = Annotated[tuple[FieldName, ...], NoDecode, BeforeValidator(split), Field(max_length=50)]
ActivityType = Annotated[int, Field(ge=1)]
ActivityTypes = Annotated[
    tuple[ActivityType, ...], NoDecode, BeforeValidator(split), Field(min_length=1, max_length=10)
]


class OutsideSettings(Group):
    """URLs that come from outside: vendors' answers and users."""

    allow: OutsideAllow = env(
        "REVENUEFLOW_OUTSIDE_ALLOW",
        (),
        about="private addresses that URLs from outside may lead to: host:port or CIDR, by commas",
    )


class MarketoSettings(Group):
    """Marketo, read: leads that its webhook could not deliver."""

    base_url: HttpUrl | None = env(
        "MARKETO_BASE_URL", None, about="the REST API: https://NUMBER.mktorest.com, without /rest"
    )
    identity_url: HttpUrl | None = env(
        "MARKETO_IDENTITY_URL", None, about="where tokens come from; default MARKETO_BASE_URL/identity"
    )
    client_id: str | None = env("MARKETO_CLIENT_ID", None, about="of a LaunchPoint service that may read")
    client_secret: SecretStr | None = env("MARKETO_CLIENT_SECRET", None, about="its secret")
    activity_types: ActivityTypes = env(
        "MARKETO_ACTIVITY_TYPES", (12, 2), about="activities that mean a lead: 1 to 10 ids, by commas"
    )
    extra_fields: FieldNames = env(
        "MARKETO_EXTRA_FIELDS", (), about="REST names of further lead fields to read, by commas, such as a comment's"
    )


class HubSpotJournalSettings(Group):
    """HubSpot's webhooks journal, read: events that its webhook could not deliver."""

    client_id: str | None = env("HUBSPOT_JOURNAL_CLIENT_ID", None, about="of the app that subscribes to the journal")
    client_secret: SecretStr | None = env("HUBSPOT_JOURNAL_CLIENT_SECRET", None, about="its secret")


class AturiyaSettings(Group):
    """Aturiya: campaigns and their leads."""

    base_url: HttpUrl | None = env("ATURIYA_BASE_URL", None, about="Aturiya's API")
    token: SecretStr | None = env("ATURIYA_TOKEN", None, about="bearer token")
    user_id: str | None = env("ATURIYA_USER_ID", None, about="the user whose campaigns they are")
    agent_id: str | None = env("ATURIYA_AGENT_ID", None, about="the agent whose campaigns they are")


class ReconcileSettings(Group):
    """When the sources are asked what they could not deliver."""

    every: float = env("REVENUEFLOW_RECONCILE_SECONDS", 300, about="seconds between two pulls of a source", gt=0)
    grace: float = env(
        "REVENUEFLOW_RECONCILE_GRACE_SECONDS", 300, about="seconds for which a lead is left to the webhook", ge=0
    )
    overlap: float = env(
        "REVENUEFLOW_RECONCILE_OVERLAP_SECONDS", 600, about="seconds that a pull reads again from the one before", ge=0
    )
