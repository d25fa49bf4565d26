"""Settings: one object, a group per capability, read from the environment and from `.env`.

A wrong value stops the start (exit code 78) with the name, the form of the value and what is allowed; never
with the value itself. `revenueflow doctor` explains each.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from revenueflow.errors import ConfigurationError, Fault, plain
from revenueflow.settings.analysis import AnalysisSettings as AnalysisSettings
from revenueflow.settings.audit import SealSettings
from revenueflow.settings.base import Folder, HeaderName, HttpUrl, Secrets
from revenueflow.settings.base import Group as Group
from revenueflow.settings.base import PostgresUrl as PostgresUrl
from revenueflow.settings.base import RedisUrl as RedisUrl
from revenueflow.settings.base import env as env
from revenueflow.settings.crm import CrmSettings as CrmSettings
from revenueflow.settings.crm import SalesforceSettings as SalesforceSettings
from revenueflow.settings.enrichment import EnrichmentSettings as EnrichmentSettings
from revenueflow.settings.mcp import McpSettings
from revenueflow.settings.sources import (
    AturiyaSettings,
    HubSpotJournalSettings,
    MarketoSettings,
    OutsideSettings,
    ReconcileSettings,
)


class DatabaseSettings(Group):
    """Postgres, in three roles."""

    url: PostgresUrl = env("DATABASE_URL", about="application role: postgresql://user:password@host:port/name")
    migration_url: PostgresUrl | None = env(
        "MIGRATION_DATABASE_URL", None, about="owner role, used by `migrate` only; default DATABASE_URL"
    )
    sealer_url: PostgresUrl | None = env("SEALER_DATABASE_URL", None, about="role of the audit sealer")
    pool_size: int = env("REVENUEFLOW_DATABASE_POOL", 20, about="connections of one process", ge=2, le=200)
    command_timeout: float = env("REVENUEFLOW_DATABASE_TIMEOUT", 10, about="seconds for a statement", gt=0, le=120)


class RedisSettings(Group):
    """Redis or Valkey: the doorbell. Everything in it may vanish."""

    url: RedisUrl = env("REDIS_URL", about="redis://[:password@]host:port/number")


class ApiSettings(Group):
    """The HTTP side."""

    host: str = env("REVENUEFLOW_HOST", "127.0.0.1", about="address to listen on")
    port: int = env("REVENUEFLOW_PORT", 8000, about="port to listen on; 0 takes a free one", ge=0, le=65535)
    public_url: HttpUrl = env(
        "REVENUEFLOW_PUBLIC_URL", "http://127.0.0.1:8000", about="the URL that senders call; HubSpot signs it"
    )
    body_limit: int = env("REVENUEFLOW_BODY_LIMIT", 256 * 1024, about="largest body, bytes", ge=1024)
    import_limit: int = env("REVENUEFLOW_IMPORT_LIMIT", 512 * 2**20, about="largest CSV upload, bytes", ge=1024)
    header_seconds: float = env(
        "REVENUEFLOW_HEADER_SECONDS", 5, about="seconds for the head of a request; then the connection is closed", gt=0
    )
    body_seconds: float = env(
        "REVENUEFLOW_BODY_SECONDS", 10, about="seconds for a body; for a CSV upload, seconds without a byte", gt=0
    )
    key_limit: int = env("REVENUEFLOW_KEY_LIMIT", 6000, about="requests a minute to /v1 with one API key", ge=1)
    unauthenticated_limit: int = env(
        "REVENUEFLOW_UNAUTHENTICATED_LIMIT", 60, about="401s a minute for one address; then it gets 429", ge=1
    )


class WebhookSettings(Group):
    """What senders prove themselves with. Two secrets, separated by a comma, while one is being replaced."""

    marketo_header: HeaderName = env(
        "REVENUEFLOW_MARKETO_SECRET_HEADER", "X-RevenueFlow-Secret", about="header of Marketo's shared secret"
    )
    marketo_delivery_header: HeaderName | None = env(
        "REVENUEFLOW_MARKETO_DELIVERY_HEADER",
        None,
        about="header that names a delivery; default: hash of the body",
    )
    marketo_secrets: Secrets = env("MARKETO_WEBHOOK_SECRET", (), about="shared secret of the Marketo webhook")
    hubspot_secrets: Secrets = env("HUBSPOT_CLIENT_SECRET", (), about="client secret of the HubSpot app")
    standard_secrets: Secrets = env("REVENUEFLOW_WEBHOOK_SECRET", (), about="Standard Webhooks secret (whsec_…)")
    tolerance: float = env("REVENUEFLOW_WEBHOOK_TOLERANCE", 300, about="seconds a signature stays valid", gt=0)


class KeySettings(Group):
    """The files that must be backed up besides Postgres."""

    identity_key_file: Path | None = env(
        "REVENUEFLOW_IDENTITY_KEY_FILE",
        None,
        about="key (32 bytes or more, hex) from which identities are derived",
    )
    audit_key_file: Path | None = env("REVENUEFLOW_AUDIT_KEY_FILE", None, about="key that signs audit checkpoints")
    checkpoint_file: Path | None = env(
        "REVENUEFLOW_CHECKPOINT_FILE", None, about="a place outside Postgres for audit checkpoints"
    )


class SpoolSettings(Group):
    """Where deliveries wait while Postgres is away."""

    dir: Path | None = env("REVENUEFLOW_SPOOL_DIR", None, about="persistent folder for the ingress spool")
    limit: int = env("REVENUEFLOW_SPOOL_LIMIT", 2**30, about="most bytes of the spool", ge=2**16)


class WorkerSettings(Group):
    """Relay, doorbell and runner. Tests use short times."""

    concurrency: int = env("REVENUEFLOW_WORKER_CONCURRENCY", 200, about="leads in flight in one worker", ge=1, le=5000)
    lease: float = env("REVENUEFLOW_LEASE_SECONDS", 30, about="seconds until a silent worker loses its job", gt=0)
    heartbeat: float = env("REVENUEFLOW_HEARTBEAT_SECONDS", 10, about="seconds between two heartbeats", gt=0)
    sweep: float = env("REVENUEFLOW_SWEEP_SECONDS", 0.2, about="seconds between two sweeps of the relay", gt=0)
    ring_again: float = env("REVENUEFLOW_RING_AGAIN_SECONDS", 10, about="seconds until a job is rung again", gt=0)
    direct_claim: float = env(
        "REVENUEFLOW_DIRECT_CLAIM_SECONDS", 30, about="seconds without a ring until workers claim from Postgres", gt=0
    )
    rings_open: int = env("REVENUEFLOW_RINGS_OPEN", 2000, about="jobs that may be rung for and not claimed", ge=1)
    max_claims: int = env("REVENUEFLOW_MAX_CLAIMS", 5, about="claims of one step before a job is dead", ge=1)
    settle: float = env(
        "REVENUEFLOW_SETTLE_SECONDS", 30, about="seconds until a write that is absent is sent again", ge=0
    )
    drain: float = env("REVENUEFLOW_DRAIN_SECONDS", 25, about="seconds to finish or hand back at shutdown", gt=0)
    metrics_port: int = env(
        "REVENUEFLOW_METRICS_PORT", 0, about="port of a worker's or relay's /metrics; 0: none", ge=0
    )


class HubSpotSettings(Group):
    """HubSpot: contacts that an event names are read, and it may be the CRM."""

    token: SecretStr | None = env(
        "HUBSPOT_ACCESS_TOKEN", None, about="private app token; scopes in docs/hubspot.md and docs/hubspot-crm.md"
    )
    base_url: HttpUrl = env("HUBSPOT_BASE_URL", "https://api.hubapi.com", about="HubSpot's API")


class SlackSettings(Group):
    """Messages about hot leads."""

    token: SecretStr | None = env("SLACK_BOT_TOKEN", None, about="without it no message is sent")
    base_url: HttpUrl = env("SLACK_BASE_URL", "https://slack.com", about="Slack's API")
    channel: str = env("SLACK_CHANNEL", "#hot-leads", about="channel for hot leads")


G = TypeVar("G", bound=Group)


class General(Group):
    """What belongs to no group."""

    config_dir: Folder | None = env(
        "REVENUEFLOW_CONFIG_DIR", None, about="folder that overrides the files in defaults/"
    )
    crash_at: str | None = env("REVENUEFLOW_CRASH_AT", None, about="fault tests only: name[:n] of a crash point")
    log_level: Literal["debug", "info", "warning", "error"] = env("REVENUEFLOW_LOG_LEVEL", "info", about="least level")


class Settings(BaseModel):
    """Everything that can be set. Build it with `Settings.load()`."""

    database: DatabaseSettings
    redis: RedisSettings
    api: ApiSettings
    webhooks: WebhookSettings
    keys: KeySettings
    seal: SealSettings
    mcp: McpSettings
    spool: SpoolSettings
    worker: WorkerSettings
    crm: CrmSettings
    salesforce: SalesforceSettings
    analysis: AnalysisSettings
    enrichment: EnrichmentSettings
    hubspot: HubSpotSettings
    slack: SlackSettings
    outside: OutsideSettings
    marketo: MarketoSettings
    hubspot_journal: HubSpotJournalSettings
    aturiya: AturiyaSettings
    reconcile: ReconcileSettings
    general: General

    @classmethod
    def load(cls, **groups: Group) -> Self:
        """Reads the environment. Raises ConfigurationError that lists every wrong setting at once."""
        built: dict[str, Any] = dict(groups)
        faults: list[Fault] = []
        for name, group in GROUPS.items():
            if name not in built:
                try:
                    built[name] = _read(group)
                except ValidationError as error:
                    faults += _faults(group, error)
        if faults:
            raise _wrong(faults)
        settings = cls(**built)
        _check_together(settings)
        return settings

    @classmethod
    def only(cls, group: type[G]) -> G:
        """One group alone, for commands that need no more. Raises ConfigurationError."""
        try:
            return _read(group)
        except ValidationError as error:
            raise _wrong(_faults(group, error)) from None

    @property
    def config_dir(self) -> Path | None:
        """The folder whose files go before ours."""
        return self.general.config_dir


GROUPS: dict[str, type[Group]] = {
    name: field.annotation
    for name, field in Settings.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Group)
}


def _read(group: type[G]) -> G:
    try:
        return group()
    except UnicodeDecodeError:
        raise ConfigurationError(".env: the file is not UTF-8 text") from None


def _wrong(faults: list[Fault]) -> ConfigurationError:
    lines = "\n".join(f"{fault.pointer}: {fault.detail}" for fault in faults)
    return ConfigurationError(lines, faults=tuple(faults))


def _faults(group: type[Group], error: ValidationError) -> list[Fault]:
    return [_fault(group, str(item["loc"][0]), item["type"], item["msg"]) for item in error.errors(include_input=False)]


def _fault(group: type[Group], variable: str, kind: str, message: str) -> Fault:
    about = next(
        (f.description or "" for f in group.model_fields.values() if f.validation_alias == variable),
        "",
    )
    problem = "is not set" if kind == "missing" else f"has a wrong value: {plain(message)}"
    return Fault(variable, f"{problem} ({about})")


def _check_together(settings: Settings) -> None:
    if settings.crm.provider == "http" and not settings.crm.base_url:
        raise ConfigurationError("CRM_BASE_URL: is not set, and CRM_PROVIDER=http needs it (https://host/path)")
    if missing := settings.analysis.missing():
        raise ConfigurationError(missing)
    if lacking := _missing_of_crm(settings):
        name = settings.crm.provider
        raise ConfigurationError("\n".join(f"{one}: is not set, and CRM_PROVIDER={name} needs it" for one in lacking))
    given = settings.enrichment
    if (given.zoominfo_id is None) != (given.zoominfo_secret is None):
        missing = "ZOOMINFO_CLIENT_SECRET" if given.zoominfo_secret is None else "ZOOMINFO_CLIENT_ID"
        raise ConfigurationError(f"{missing}: is not set, and the other half of ZoomInfo's credential is")
    if settings.worker.heartbeat * 2 > settings.worker.lease:
        raise ConfigurationError(
            "REVENUEFLOW_HEARTBEAT_SECONDS: must be at most half of REVENUEFLOW_LEASE_SECONDS, or leases are lost"
        )
    if settings.crm.timeout >= settings.worker.lease:
        raise ConfigurationError("CRM_TIMEOUT_SECONDS: must be shorter than REVENUEFLOW_LEASE_SECONDS")


def _missing_of_crm(settings: Settings) -> list[str]:
    sales = settings.salesforce
    needed: dict[str, dict[str, object]] = {
        "salesforce": {
            "SALESFORCE_BASE_URL": sales.base_url,
            "SALESFORCE_CLIENT_ID": sales.client_id,
            "SALESFORCE_CLIENT_SECRET": sales.client_secret,
        },
        "hubspot": {"HUBSPOT_ACCESS_TOKEN": settings.hubspot.token},
    }
    return [name for name, value in needed.get(settings.crm.provider, {}).items() if not value]
