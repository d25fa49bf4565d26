"""docker-compose.yml: valid, complete, and closed where it can be."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer
import yaml
from typer.main import get_command_name, get_group

from revenueflow.cli import control, keys, serve
from tests.unit.deploy import ROOT, load, variables

COMPOSE = load("docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LONG_RUNNING = ("api", "relay", "worker", "sealer")
OURS = (*LONG_RUNNING, "migrate", "keys", "audit-keys")
GROUPS: dict[str, typer.Typer] = {"serve": serve.app, "keys": keys.app}
# Not passed to any container: fault tests only.
WITHHELD = {"REVENUEFLOW_CRASH_AT"}
SECRET = re.compile(r"(PASSWORD|SECRET|TOKEN|API_KEY|AUTH)$")
REFERENCE = re.compile(r"\$\{(\w+)")


def environment(service: str) -> dict[str, str | None]:
    found: dict[str, str | None] = SERVICES[service].get("environment", {})
    return found


def is_valid(path: Path) -> bool:
    """Whether the Compose Specification's JSON schema, as check-jsonschema brings it, allows the file."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


def test_is_what_the_compose_specification_allows() -> None:
    assert is_valid(ROOT / "docker-compose.yml")


def test_the_specification_would_notice_a_mistake(tmp_path: Path) -> None:
    wrong = copy.deepcopy(COMPOSE)
    wrong["services"]["api"]["depend_on"] = ["migrate"]
    path = tmp_path / "docker-compose.yml"
    path.write_text(yaml.safe_dump(wrong), encoding="utf-8")
    assert not is_valid(path)


def test_all_processes_are_one_image() -> None:
    assert {SERVICES[name]["image"] for name in OURS} == {"${REVENUEFLOW_IMAGE:-revenueflow:local}"}
    assert all(SERVICES[name]["build"]["dockerfile"] == "deploy/Dockerfile" for name in OURS)


@pytest.mark.parametrize("service", OURS)
def test_runs_a_command_that_exists(service: str) -> None:
    name, *rest = SERVICES[service]["command"]
    if name in GROUPS:
        assert rest[0] in get_group(GROUPS[name]).commands
    else:
        assert name == get_command_name(control.migrate.__name__)
        assert rest == []


@pytest.mark.parametrize("service", OURS)
def test_our_processes_can_change_nothing_but_their_volumes(service: str) -> None:
    definition = SERVICES[service]
    assert definition["read_only"] is True
    assert definition["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in definition["security_opt"]
    assert "user" not in definition, "the image's own user is not root"
    assert not definition.get("privileged")


@pytest.mark.parametrize("service", sorted(SERVICES.keys() - set(OURS)))
def test_images_of_others_are_pinned_to_a_version(service: str) -> None:
    _, _, tag = SERVICES[service]["image"].partition(":")
    assert re.search(r"\d+\.\d+\.\d+", tag), "a moving tag such as `latest` or `18` is no pin"


@pytest.mark.parametrize("service", LONG_RUNNING)
def test_processes_wait_for_the_schema_and_the_doorbell(service: str) -> None:
    assert SERVICES[service]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"},
        "valkey": {"condition": "service_healthy"},
    }


def test_migrations_wait_for_postgres_and_run_once() -> None:
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert SERVICES["migrate"]["restart"] == "no"


def test_whatever_is_waited_for_has_a_health_check() -> None:
    waited_for = {
        name
        for definition in SERVICES.values()
        for name, how in definition.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }
    assert waited_for == {"postgres", "valkey", "prometheus"}
    assert all("test" in SERVICES[name]["healthcheck"] for name in waited_for)


@pytest.mark.parametrize("service", ["relay", "worker"])
def test_processes_without_http_are_asked_on_their_metrics_port(service: str) -> None:
    port = environment(service)["REVENUEFLOW_METRICS_PORT"]
    assert port is not None
    assert port in SERVICES[service]["healthcheck"]["test"][-1]


def test_a_worker_has_more_time_to_stop_than_it_takes() -> None:
    grace = int(SERVICES["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace > variables()["REVENUEFLOW_DRAIN_SECONDS"]


def test_every_volume_is_declared_and_every_mounted_file_exists() -> None:
    for definition in SERVICES.values():
        for mount in definition.get("volumes", []):
            source = mount.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]


def test_state_that_must_survive_is_on_volumes() -> None:
    assert "postgres:/var/lib/postgresql" in SERVICES["postgres"]["volumes"]
    assert f"spool:{environment('api')['REVENUEFLOW_SPOOL_DIR']}" in SERVICES["api"]["volumes"]
    folder = (environment("api")["REVENUEFLOW_IDENTITY_KEY_FILE"] or "").rpartition("/")[0]
    for service in LONG_RUNNING:
        assert f"identity:{folder}:ro" in SERVICES[service]["volumes"]


def test_no_secret_is_written_down() -> None:
    for name in SERVICES:
        for variable, value in environment(name).items():
            if SECRET.search(variable):
                assert value is None or re.fullmatch(r"\$\{\w+:\?[^}]+\}", value), variable
            if value and "://" in value and "@" in value:
                assert (urlsplit(value).netloc.split("@")[0].split(":", 1)[1]).startswith("${"), variable


def test_only_migrations_know_the_owner_of_the_schema() -> None:
    def knows(service: str, role: str) -> bool:
        return any(role in f"{name}={value}" for name, value in environment(service).items())

    assert {name for name in SERVICES if knows(name, "REVENUEFLOW_OWNER_PASSWORD")} == {"postgres", "migrate"}
    assert {name for name in SERVICES if knows(name, "REVENUEFLOW_SEALER_PASSWORD")} == {"postgres", "sealer"}
    assert {name for name in SERVICES if knows(name, "POSTGRES_PASSWORD")} == {"postgres"}


@pytest.mark.parametrize("service", [*LONG_RUNNING, "migrate"])
def test_passes_on_nothing_that_is_not_a_setting(service: str) -> None:
    assert environment(service).keys() <= variables().keys()


def test_every_setting_reaches_the_process_that_uses_it() -> None:
    reached = {name for service in (*LONG_RUNNING, "migrate") for name in environment(service)}
    assert variables().keys() - reached == WITHHELD


def test_every_variable_is_in_the_example() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    missing = [name for name in REFERENCE.findall(text) if not re.search(rf"^#?{name}=", example, re.MULTILINE)]
    assert missing == []


def test_ports_are_published_on_this_machine_only() -> None:
    published = [port for definition in SERVICES.values() for port in definition.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_valkey_never_evicts_a_key() -> None:
    assert "--maxmemory-policy noeviction" in SERVICES["valkey"]["command"][-1]


def test_the_key_maker_is_no_part_of_an_ordinary_start() -> None:
    assert SERVICES["keys"]["profiles"] == ["setup"]
    assert SERVICES["keys"]["command"][-1] == environment("api")["REVENUEFLOW_IDENTITY_KEY_FILE"]
