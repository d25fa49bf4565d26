"""A wrong setting stops the start: its name, what is allowed, never its value."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from revenueflow.errors import ConfigurationError
from revenueflow.settings import GROUPS, DatabaseSettings, General, Settings, WebhookSettings

NEEDED = {"DATABASE_URL": "postgresql://u:p@h:5432/d", "REDIS_URL": "redis://h:6379/0"}
NAMES = {str(field.validation_alias) for group in GROUPS.values() for field in group.model_fields.values()}
WRONG = "s3cr3t value"


@pytest.fixture(autouse=True)
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The process's environment with what is needed and nothing else of ours, in a folder without `.env`."""
    before, folder = dict(os.environ), Path.cwd()
    for name in NAMES & set(os.environ):
        del os.environ[name]
    os.environ.update(NEEDED)
    os.chdir(tmp_path)
    try:
        yield os.environ  # type: ignore[misc]
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(before)


def refused() -> str:
    with pytest.raises(ConfigurationError) as caught:
        Settings.load()
    return str(caught.value)


def test_only_the_servers_are_needed() -> None:
    settings = Settings.load()
    assert (settings.database.url, settings.redis.url) == (NEEDED["DATABASE_URL"], NEEDED["REDIS_URL"])
    assert settings.crm.provider == "mock"
    assert settings.analysis.api_key is None


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_what_is_needed_and_missing(environment: dict[str, str], name: str) -> None:
    del environment[name]
    assert refused().startswith(f"{name}: is not set (")


# Any text will do for these; every other setting has a form, and a new one is tested without being named here.
FREE = {
    "REVENUEFLOW_HOST", "REVENUEFLOW_CRASH_AT", "REVENUEFLOW_CONFIG_DIR", "REVENUEFLOW_IDENTITY_KEY_FILE",
    "REVENUEFLOW_AUDIT_KEY_FILE", "REVENUEFLOW_SPOOL_DIR", "REVENUEFLOW_CHECKPOINT_FILE", "MARKETO_WEBHOOK_SECRET",
    "HUBSPOT_CLIENT_SECRET", "REVENUEFLOW_WEBHOOK_SECRET", "CRM_TOKEN", "GEMINI_API_KEY", "GEMINI_MODEL",
    "VERTEX_API_KEY", "AWS_BEARER_TOKEN_BEDROCK", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "CLEARBIT_API_KEY", "HUNTER_API_KEY", "PIPE0_API_KEY", "APOLLO_API_KEY", "ZOOMINFO_CLIENT_ID",
    "ZOOMINFO_CLIENT_SECRET", "REVENUEFLOW_DIRECTORY_FILE", "HUBSPOT_ACCESS_TOKEN", "SLACK_BOT_TOKEN", "SLACK_CHANNEL",
    "ATURIYA_AGENT_ID", "ATURIYA_TOKEN", "ATURIYA_USER_ID", "HUBSPOT_JOURNAL_CLIENT_ID",
    "HUBSPOT_JOURNAL_CLIENT_SECRET",
    "MARKETO_CLIENT_ID", "MARKETO_CLIENT_SECRET", "SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(NAMES - FREE))
def test_every_wrong_value_names_the_variable_and_never_the_value(environment: dict[str, str], name: str) -> None:
    environment[name] = WRONG
    message = refused()
    assert message.startswith(f"{name}: has a wrong value: ")
    assert "s3cr3t" not in message
    assert message.endswith(")")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql+asyncpg://u:s3cr3t@h/d"),
        ("DATABASE_URL", "postgresql://u:s3cr3t@h:port/d"),
        ("DATABASE_URL", "postgresql://u:s3cr3t@[h/d"),
        ("DATABASE_URL", "mysql://u:s3cr3t@h/d"),
        ("REDIS_URL", "redis://:s3cr3t@h:99999/0"),
        ("REDIS_URL", "http://s3cr3t"),
        ("CRM_BASE_URL", "ftp://s3cr3t"),
        ("CRM_BASE_URL", "https://s3cr3t:x"),
        ("CRM_PROVIDER", "s3cr3t"),
        ("REVENUEFLOW_PORT", "-1"),
        ("REVENUEFLOW_PORT", "65536"),
        ("REVENUEFLOW_LEASE_SECONDS", "0"),
        ("REVENUEFLOW_LEASE_SECONDS", "nan"),
        ("REVENUEFLOW_LEASE_SECONDS", "inf"),
        ("REVENUEFLOW_BODY_LIMIT", "10"),
        ("REVENUEFLOW_WORKER_CONCURRENCY", "1e3"),
        ("REVENUEFLOW_MARKETO_SECRET_HEADER", "X Secret"),
        ("REVENUEFLOW_MARKETO_SECRET_HEADER", "X-Secret\r\nX-S3cr3t"),
        ("MARKETO_WEBHOOK_SECRET", "s3cr3t,b,c"),
        ("REVENUEFLOW_LOG_LEVEL", "s3cr3t"),
    ],
)
def test_values_just_beside_what_is_allowed(environment: dict[str, str], name: str, value: str) -> None:
    environment[name] = value
    message = refused()
    assert message.startswith(f"{name}: has a wrong value: ")
    assert "s3cr3t" not in message.lower()


def test_every_wrong_setting_is_named_at_once(environment: dict[str, str]) -> None:
    environment.update(REVENUEFLOW_PORT="x", CRM_PROVIDER="x", DATABASE_URL="")
    lines = [line.split(":")[0] for line in refused().splitlines()]
    assert sorted(lines) == ["CRM_PROVIDER", "DATABASE_URL", "REVENUEFLOW_PORT"]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"CRM_PROVIDER": "http"}, ["CRM_BASE_URL", "CRM_PROVIDER=http"]),
        ({"CRM_PROVIDER": "salesforce"}, ["SALESFORCE_BASE_URL", "SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET"]),
        ({"CRM_PROVIDER": "hubspot"}, ["HUBSPOT_ACCESS_TOKEN", "CRM_PROVIDER=hubspot"]),
        ({"REVENUEFLOW_LEASE_SECONDS": "10"}, ["REVENUEFLOW_HEARTBEAT_SECONDS", "REVENUEFLOW_LEASE_SECONDS"]),
        ({"REVENUEFLOW_HEARTBEAT_SECONDS": "16"}, ["REVENUEFLOW_HEARTBEAT_SECONDS"]),
        ({"CRM_TIMEOUT_SECONDS": "30"}, ["CRM_TIMEOUT_SECONDS", "REVENUEFLOW_LEASE_SECONDS"]),
        ({"ZOOMINFO_CLIENT_ID": "a"}, ["ZOOMINFO_CLIENT_SECRET"]),
        ({"ZOOMINFO_CLIENT_SECRET": "s3cr3t"}, ["ZOOMINFO_CLIENT_ID"]),
    ],
)
def test_settings_that_must_fit_together(environment: dict[str, str], given: dict[str, str], names: list[str]) -> None:
    environment.update(given)
    message = refused()
    assert message.startswith(f"{names[0]}: ")
    assert all(name in message for name in names)


def test_an_empty_variable_is_not_set(environment: dict[str, str]) -> None:
    environment.update(dict.fromkeys(NAMES - set(NEEDED), ""))
    assert Settings.load().api.port == 8000


def test_two_secrets_while_one_is_being_replaced(environment: dict[str, str]) -> None:
    environment["MARKETO_WEBHOOK_SECRET"] = " old , new,, "
    secrets = Settings.only(WebhookSettings).marketo_secrets
    assert [secret.get_secret_value() for secret in secrets] == ["old", "new"]
    assert "old" not in repr(Settings.load())


def test_one_group_alone_needs_no_other(environment: dict[str, str]) -> None:
    del environment["REDIS_URL"]
    assert Settings.only(DatabaseSettings).url == NEEDED["DATABASE_URL"]


def test_the_file_goes_behind_the_environment(environment: dict[str, str]) -> None:
    Path(".env").write_text("REVENUEFLOW_PORT=1234\nSLACK_CHANNEL=#größe\nREDIS_URL=redis://other\nUNKNOWN=1\n")
    settings = Settings.load()
    assert (settings.api.port, settings.slack.channel, settings.redis.url) == (1234, "#größe", NEEDED["REDIS_URL"])


def test_a_file_that_is_no_text() -> None:
    Path(".env").write_bytes(b"SLACK_BOT_TOKEN=s3cr3t\xff\n")
    assert refused().startswith(".env: ")
    with pytest.raises(ConfigurationError, match=r"^\.env: "):
        Settings.only(General)


def test_settings_dont_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings.load().api.port = 1


def test_lists_of_sources_are_read_and_checked(environment: dict[str, str]) -> None:
    assert Settings.load().marketo.activity_types == (12, 2)
    environment["MARKETO_ACTIVITY_TYPES"] = "12, 10007"
    environment["REVENUEFLOW_OUTSIDE_ALLOW"] = "127.0.0.1:8080, [::1]:80, 10.0.0.0/8, files.internal:443"
    settings = Settings.load()
    assert settings.marketo.activity_types == (12, 10007)
    assert settings.outside.allow == ("127.0.0.1:8080", "[::1]:80", "10.0.0.0/8", "files.internal:443")
    environment["MARKETO_ACTIVITY_TYPES"] = ",".join(map(str, range(1, 12)))
    assert "MARKETO_ACTIVITY_TYPES: has a wrong value" in refused()


@pytest.mark.parametrize("entry", ["files.internal", "10.0.0.0/33", "a:0", "a:65536", "a:x", ":80", "http://a:80/"])
def test_what_may_be_allowed_outside(environment: dict[str, str], entry: str) -> None:
    environment["REVENUEFLOW_OUTSIDE_ALLOW"] = entry
    assert "REVENUEFLOW_OUTSIDE_ALLOW: has a wrong value: each entry must be host:port" in refused()


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, ("gemini",)),
        ({"ANALYSIS_PROVIDER": "rules"}, ()),
        ({"ANALYSIS_PROVIDER": "vertex", "VERTEX_API_KEY": "k"}, ("vertex",)),
        (
            {"ANALYSTS": "bedrock, gemini,rules", "AWS_REGION": "eu-central-1", "GEMINI_API_KEY": "k"},
            ("bedrock", "gemini"),
        ),
        ({"ANALYSTS": "vertex", "GOOGLE_CLOUD_PROJECT": "p-1", "ANALYSIS_PROVIDER": "rules"}, ("vertex",)),
    ],
)
def test_the_chain_of_analysts(environment: dict[str, str], given: dict[str, str], names: tuple[str, ...]) -> None:
    environment.update(given)
    assert Settings.load().analysis.names == names


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"ANALYSTS": "gemini"}, "GEMINI_API_KEY: is not set, and the analyst gemini needs it"),
        ({"ANALYSTS": "vertex"}, "GOOGLE_CLOUD_PROJECT: is not set"),
        ({"ANALYSIS_PROVIDER": "bedrock"}, "AWS_REGION: is not set"),
        ({"ANALYSTS": "rules,gemini"}, "ANALYSTS: has a wrong value: rules can only be the last one"),
        ({"ANALYSTS": "rules,rules"}, "ANALYSTS: has a wrong value: each analyst once"),
        ({"ANALYSTS": "openai"}, "ANALYSTS: has a wrong value"),
        ({"AWS_ACCESS_KEY_ID": "AKID"}, "AWS_SECRET_ACCESS_KEY: is not set"),
        ({"AWS_SECRET_ACCESS_KEY": "s"}, "AWS_ACCESS_KEY_ID: is not set"),
    ],
)
def test_an_analyst_that_can_not_be_asked(environment: dict[str, str], given: dict[str, str], problem: str) -> None:
    environment.update(given)
    assert refused().startswith(problem)
