"""Who is asked about leads."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from revenueflow.settings.base import Group, HttpUrl, env


class EnrichmentSettings(Group):
    """Data vendors. One without a key is skipped, and the lead says so."""

    clearbit_key: SecretStr | None = env("CLEARBIT_API_KEY", None, about="Clearbit (legacy keys)")
    clearbit_url: HttpUrl = env("CLEARBIT_BASE_URL", "https://company.clearbit.com", about="Clearbit's companies API")
    clearbit_person_url: HttpUrl = env(
        "CLEARBIT_PERSON_BASE_URL", "https://person.clearbit.com", about="Clearbit's combined API"
    )
    hunter_key: SecretStr | None = env("HUNTER_API_KEY", None, about="Hunter")
    hunter_url: HttpUrl = env("HUNTER_BASE_URL", "https://api.hunter.io", about="Hunter's API")
    pipe0_key: SecretStr | None = env("PIPE0_API_KEY", None, about="pipe0")
    pipe0_url: HttpUrl = env("PIPE0_BASE_URL", "https://api.pipe0.com", about="pipe0's API")
    apollo_key: SecretStr | None = env("APOLLO_API_KEY", None, about="Apollo")
    apollo_url: HttpUrl = env("APOLLO_BASE_URL", "https://api.apollo.io", about="Apollo's API")
    apollo_webhook_url: HttpUrl | None = env(
        "APOLLO_WEBHOOK_URL", None, about="where Apollo may send results of its waterfall; we poll for them"
    )
    zoominfo_id: str | None = env("ZOOMINFO_CLIENT_ID", None, about="ZoomInfo: the OAuth client")
    zoominfo_secret: SecretStr | None = env("ZOOMINFO_CLIENT_SECRET", None, about="ZoomInfo: its secret")
    zoominfo_url: HttpUrl = env("ZOOMINFO_BASE_URL", "https://api.zoominfo.com", about="ZoomInfo's GTM API")
    zoominfo_token_url: HttpUrl = env(
        "ZOOMINFO_TOKEN_URL",
        "https://okta-login.zoominfo.com/oauth2/default/v1/token",
        about="where ZoomInfo gives tokens",
    )
    directory_file: Path | None = env(
        "REVENUEFLOW_DIRECTORY_FILE", None, about="your own company data: CSV, JSON or JSON Lines"
    )
