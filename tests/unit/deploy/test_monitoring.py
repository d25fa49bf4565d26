"""Prometheus and Grafana: every metric and label exists, every alert has a runbook, uids are fixed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from revenueflow.telemetry import metrics
from tests.unit.deploy import ROOT, load

DATASOURCE = "revenueflow-prometheus"
BOARD = load("deploy/grafana/dashboards/revenueflow.json")
PANELS: list[dict[str, Any]] = BOARD["panels"]
RULES: list[dict[str, Any]] = [
    rule for group in load("deploy/prometheus/alerts.yml")["groups"] for rule in group["rules"]
]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]] + [rule["expr"] for rule in RULES]
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
SELECTED = re.compile(r"(revenueflow_\w+)(?:\{([^}]*)\})?")
GROUPED = re.compile(r"\bby \(([^)]*)\)")


def ours() -> Iterator[MetricWrapperBase]:
    return (value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase))


def series() -> dict[str, set[str]]:
    """The name of each series that our processes export, with its labels."""
    found = {}
    for metric in ours():
        (family,) = metric.describe()
        for suffix in SUFFIXES[family.type]:
            labels = {*metric._labelnames, *(["le"] if suffix == "_bucket" else [])}
            found[family.name + suffix] = labels
    return found


def test_the_metrics_are_registered() -> None:
    assert "revenueflow_deliveries_total" in series()
    assert REGISTRY.get_sample_value("revenueflow_jobs_dead") is not None


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_asks_for_metrics_and_labels_that_exist(expression: str) -> None:
    selected = SELECTED.findall(expression)
    known = series()
    for name, matchers in selected:
        assert name in known
        assert set(re.findall(r"(\w+)\s*=", matchers)) <= known[name]
    if selected:
        grouped = {label.strip() for group in GROUPED.findall(expression) for label in group.split(",")}
        assert grouped <= set.union(*(known[name] for name, _ in selected))
    else:
        assert "up{" in expression


@pytest.mark.parametrize("expression", [e for e in EXPRESSIONS if 'le="' in e])
def test_asks_for_buckets_that_exist(expression: str) -> None:
    buckets = {
        sample.labels["le"]
        for family in metrics.ingress_ack.collect()
        for sample in family.samples
        if sample.name.endswith("_bucket")
    }
    assert set(re.findall(r'le="([^"]+)"', expression)) <= buckets


@pytest.mark.parametrize(
    "metric",
    [
        "revenueflow_ingress_ack_seconds_bucket",
        "revenueflow_deliveries_total",
        "revenueflow_oldest_ready_seconds",
        "revenueflow_step_seconds_bucket",
        "revenueflow_breaker_state",
        "revenueflow_claims_total",
        "revenueflow_actions",
        "revenueflow_jobs_dead",
    ],
)
def test_the_board_shows(metric: str) -> None:
    shown = {name for p in PANELS for t in p["targets"] for name, _ in SELECTED.findall(t["expr"])}
    assert metric in shown


def test_gauges_that_several_processes_export_are_not_added_up() -> None:
    gauges = {family.name for metric in ours() for family in metric.describe() if family.type == "gauge"}
    for expression in EXPRESSIONS:
        for gauge in gauges & {name for name, _ in SELECTED.findall(expression)}:
            assert not re.search(rf"\bsum\b[^)]*\(?[^)]*\b{gauge}\b", expression)


def test_uids_are_fixed() -> None:
    (source,) = load("deploy/grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert source["uid"] == DATASOURCE
    assert BOARD["uid"] == "revenueflow-overview"
    assert "id" not in BOARD, "Grafana numbers boards itself"
    used = {item["datasource"]["uid"] for panel in PANELS for item in (panel, *panel["targets"])}
    assert used == {DATASOURCE}
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        x, y, w, h = (panel["gridPos"][key] for key in "xywh")
        cells = {(column, row) for column in range(x, x + w) for row in range(y, y + h)}
        assert x + w <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_grafana_finds_what_is_mounted() -> None:
    services = load("docker-compose.yml")["services"]
    mounts = dict(mount.split(":")[:2] for mount in services["grafana"]["volumes"])
    (provider,) = load("deploy/grafana/provisioning/dashboards/revenueflow.yml")["providers"]
    (source,) = load("deploy/grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert provider["options"]["path"] == mounts["./deploy/grafana/dashboards"]
    assert mounts["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    assert source["url"] == "http://prometheus:9090"


def test_prometheus_asks_our_processes_where_they_listen() -> None:
    services = load("docker-compose.yml")["services"]
    jobs = {job["job_name"]: job for job in load("deploy/prometheus/prometheus.yml")["scrape_configs"]}
    for name, variable in (("api", "PORT"), ("relay", "METRICS_PORT"), ("worker", "METRICS_PORT")):
        (found,) = jobs[f"revenueflow-{name}"]["dns_sd_configs"]
        assert found["names"] == [name]
        assert str(found["port"]) == services[name]["environment"][f"REVENUEFLOW_{variable}"]


def test_prometheus_loads_the_alerts() -> None:
    names = load("deploy/prometheus/prometheus.yml")["rule_files"]
    assert names == ["alerts.yml"]
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    runbook = ROOT / rule["annotations"]["runbook_url"]
    assert runbook.parent == ROOT / "docs/runbooks"
    assert rule["alert"] in runbook.read_text(encoding="utf-8")
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert rule["for"]


def test_every_runbook_belongs_to_an_alert() -> None:
    named = {rule["annotations"]["runbook_url"] for rule in RULES}
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "docs/runbooks").glob("*.md")} == named


def test_jobs_that_alerts_name_are_scraped() -> None:
    scraped = {job["job_name"] for job in load("deploy/prometheus/prometheus.yml")["scrape_configs"]}
    named = {job for expression in EXPRESSIONS for job in re.findall(r'job="([^"]+)"', expression)}
    assert named
    assert named <= scraped
