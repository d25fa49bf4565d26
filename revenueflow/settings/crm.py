"""Where leads are written: the CRM, and what Salesforce needs besides. HubSpot has a group of its own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from revenueflow.settings.base import Group, HttpUrl, env

ApiVersion = Annotated[str, Field(pattern=r"^v[0-9]{2,3}\.0$")]


class CrmSettings(Group):
    """Where leads are written."""

    provider: Literal["mock", "http", "salesforce", "hubspot"] = env(
        "CRM_PROVIDER", "mock", about="mock (writes to Postgres), http, salesforce or hubspot"
    )
    base_url: HttpUrl | None = env("CRM_BASE_URL", None, about="the http CRM: PUT/GET {CRM_BASE_URL}/records/…")
    token: SecretStr | None = env("CRM_TOKEN", None, about="bearer token for the http CRM")
    timeout: float = env("CRM_TIMEOUT_SECONDS", 10, about="seconds for one call; shorter than the lease", gt=0)
    per_minute: int | None = env(
        "CRM_REQUESTS_PER_MINUTE", None, about="what the CRM allows; 0: no limit; default: that of policy.toml", ge=0
    )


class SalesforceSettings(Group):
    """Salesforce: a connected app with the client-credentials flow."""

    base_url: HttpUrl | None = env(
        "SALESFORCE_BASE_URL", None, about="My Domain: https://NAME.my.salesforce.com, without a path"
    )
    client_id: str | None = env("SALESFORCE_CLIENT_ID", None, about="consumer key of the connected app")
    client_secret: SecretStr | None = env("SALESFORCE_CLIENT_SECRET", None, about="its consumer secret")
    version: ApiVersion = env("SALESFORCE_API_VERSION", "v68.0", about="version of the REST API, such as v68.0")
