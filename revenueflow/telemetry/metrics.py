"""The metrics that dashboards build on. Base units, bounded labels."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

_FINE = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 30)

ingress_ack = Histogram("revenueflow_ingress_ack_seconds", "From the request to its 2xx", buckets=_FINE)
deliveries = Counter("revenueflow_deliveries_total", "Arrivals by their answer", ["source", "status"])
queue_depth = Gauge("revenueflow_queue_depth", "Jobs by state", ["state"])
oldest_ready = Gauge("revenueflow_oldest_ready_seconds", "Age of the oldest due job", ["step"])
step_seconds = Histogram("revenueflow_step_seconds", "Time in a step", ["step", "outcome"], buckets=_FINE)
spool_bytes = Gauge("revenueflow_spool_bytes", "Bytes that wait in the spool")
spool_oldest = Gauge("revenueflow_spool_oldest_seconds", "Age of the oldest spooled arrival")
spool_bad = Gauge("revenueflow_spool_bad", "Spool files that were set aside for a person")
jobs_dead = Gauge("revenueflow_jobs_dead", "Dead jobs that nobody has replayed")
breaker_state = Gauge("revenueflow_breaker_state", "0 closed, 1 half-open, 2 open", ["provider"])
actions = Gauge("revenueflow_actions", "Actions by state", ["state"])
claims = Counter("revenueflow_claims_total", "Claims by verdict and by the check that decided", ["verdict", "check"])
analyses = Counter("revenueflow_analyses_total", "Analyses by verdict", ["verdict"])
reviews_open = Gauge("revenueflow_reviews_open", "Analyses that wait for a person", ["kind"])
reviews_oldest = Gauge("revenueflow_reviews_oldest_seconds", "Age of the oldest of them, 0 if there is none")
routed_to_queue = Counter(
    "revenueflow_routed_to_queue_total", "Leads that no rule is for, or that nobody it names can take", ["reason"]
)
for _reason in ("no_rule", "nobody"):
    routed_to_queue.labels(_reason)  # there from the start: the first one must count as an increase
guard_denials = Counter("revenueflow_guard_denials_total", "Tool calls that the guard denied", ["code"])
approvals_pending = Gauge("revenueflow_approvals_pending", "Calls that wait for a person's approval")
approvals_oldest = Gauge("revenueflow_approvals_oldest_seconds", "Age of the oldest of these")
guard_delays = Counter("revenueflow_guard_delays_total", "Tool calls that were told to come back", ["reason"])
provider_seconds = Histogram(
    "revenueflow_provider_seconds", "Time of a call to an upstream", ["provider", "outcome"], buckets=_FINE
)
lookups = Counter(
    "revenueflow_lookups_total",
    "Questions to providers, by where the answer came from",
    ["provider", "origin", "outcome"],
)
lookups_denied = Counter(
    "revenueflow_lookups_denied_total", "Questions that were not asked, for a cap or the stop", ["provider", "reason"]
)
spend = Counter("revenueflow_spend_total", "Money spent on upstreams", ["provider", "currency"])
tokens = Counter("revenueflow_tokens_total", "Model tokens", ["model", "kind"])
model_answers = Counter(
    "revenueflow_model_answers_total", "Answers of models: by a call, from the cache, or of a run's own earlier call",
    ["analyst", "origin"],
)  # fmt: skip
model_failures = Counter("revenueflow_model_failures_total", "Analysts that did not answer", ["analyst", "reason"])
models_denied = Counter(
    "revenueflow_models_denied_total", "Prompts that were not sent, for a cap or the stop", ["analyst", "reason"]
)
reanalyses = Counter(
    "revenueflow_reanalyses_total", "Leads that are analysed again, after the rules had stood in for a model"
)
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
first_touch = Histogram(
    "revenueflow_first_touch_seconds", "From a lead to its first touch by a person", ["tier"],
    buckets=(_MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR, 4 * _HOUR, 8 * _HOUR, 16 * _HOUR, _DAY,
             2 * _DAY, 3 * _DAY, 5 * _DAY, 10 * _DAY),
)  # fmt: skip
sla = Counter("revenueflow_sla_total", "Timers by what they came to", ["tier", "event"])
sla_overdue = Gauge("revenueflow_sla_overdue", "Leads past their time, with nobody left to pass them on to", ["tier"])
sla_late = Gauge("revenueflow_sla_late_seconds", "How long the timer has been due that nobody has looked at")
audit_tampered = Gauge("revenueflow_audit_tampered", "1: the trail is not what was signed; nothing is signed any more")
seal_age = Gauge("revenueflow_seal_age_seconds", "Age of the oldest audit event that is not sealed")
claimed_directly = Counter(
    "revenueflow_claimed_directly_total", "Jobs that a worker claimed without having been rung for"
)
leases_lost = Counter("revenueflow_leases_lost_total", "Runs that ended because another worker took the job")

erasures = Counter("revenueflow_erasures_total", "People who were erased, by outcome", ["outcome"])
retention_rows = Counter("revenueflow_retention_rows_total", "Rows that were past their time, by table", ["table"])
retention_age = Gauge("revenueflow_retention_age_seconds", "Since a round of retention last came to its end")
retention_every = Gauge(
    "revenueflow_retention_every_seconds", "How often a worker is to look for what is past its time"
)
stopped = Gauge("revenueflow_stopped_seconds", "For how long a switch has been set, 0 if it is not", ["switch"])

reconcile_gaps = Counter(
    "revenueflow_reconcile_gaps_total", "Leads that a source had and did not deliver, found and closed",
    ["source", "state"],
)  # fmt: skip
reconcile_age = Gauge("revenueflow_reconcile_age_seconds", "Since a source was last read to its end", ["source"])


def observe_step(step: str, outcome: str, seconds: float) -> None:
    """Adds a step that took `seconds` and came to `outcome`."""
    _step(step, outcome).observe(seconds)


@cache
def _step(step: str, outcome: str) -> Histogram:
    return step_seconds.labels(step, outcome.lower())
