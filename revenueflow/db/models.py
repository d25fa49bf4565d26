"""The tables, as SQLAlchemy sees them. migrations/ is what runs; a test holds the two against each other."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

metadata = MetaData()


def _key(name: str, kind: Any = Uuid, **options: Any) -> Column[Any]:
    return Column(name, kind, primary_key=True, **options)


def _need(name: str, kind: Any = Text) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _may(name: str, kind: Any = Text) -> Column[Any]:
    return Column(name, kind, nullable=True)


TIME = TIMESTAMP(timezone=True)

deliveries = Table(
    "deliveries", metadata, _key("id"), _need("source"), _need("delivery_key"), _need("raw", LargeBinary),
    _need("body_sha256", LargeBinary), _need("content_type"), _may("parsed", JSONB), _need("received_at", TIME),
    _may("lead_id", Uuid), _may("identity_key"), _need("outcome"), _may("reason"), _need("trace_id"),
)  # fmt: skip

leads = Table(
    "leads", metadata, _key("id"), _need("campaign_id"), _need("identity_key"), _need("version", Integer),
    _need("form", JSONB), _may("email"), _may("name"), _may("phone"), _may("company"), _may("domain"),
    _may("title"), _may("country"), _may("source"), _may("message"), _need("status"), _may("stage"),
    _may("fit", Integer), _may("score", Integer), _may("tier"), _may("intent"), _may("profile"),
    _need("score_factors", JSONB), _may("owner_id"), _may("owner_name"), _may("routing_rule"),
    _may("routing_reason"), _may("analysis_verdict"), _need("signals_missed", JSONB), _may("crm_id"),
    _need("received_at", TIME), _need("updated_at", TIME), _may("processed_at", TIME),
    _may("first_touch_at", TIME), _may("erased_at", TIME), _may("completeness", Integer), _need("cost", Double),
    _may("time_zone"),
    _need("facts", JSONB), _may("summary"), _may("reanalyse_at", TIME), _may("reanalysed_at", TIME),
    _need("reanalyses", Integer),
)  # fmt: skip

jobs = Table(
    "jobs", metadata, _key("id", server_default=text("uuidv7()")), _need("lead_id", Uuid),
    _need("run_version", Integer),
    _need("wanted_version", Integer), _need("priority", SmallInteger), _need("state"), _need("step"),
    _need("run_at", TIME), _need("attempt", Integer), _may("lease_owner"), _need("lease_token", BigInteger),
    _may("lease_until", TIME), _may("rung_at", TIME), _may("error_class"), _may("last_error"),
    _need("trace_id"), _need("created_at", TIME), _may("finished_at", TIME),
)  # fmt: skip

steps = Table(
    "steps", metadata, _key("job_id"), _key("name", Text), _need("step_version", Integer),
    _need("input_sha256", LargeBinary), _need("output", JSONB), _need("started_at", TIME),
    _need("finished_at", TIME), _need("cost", JSONB),
)  # fmt: skip

evidence = Table(
    "evidence", metadata, _key("id"), _need("lead_id", Uuid), _need("job_id", Uuid), _need("ordinal", Integer),
    _need("provider"), _need("signal"), _need("path"), _need("value", JSONB), _need("trust"),
    _need("fetched_at", TIME), _may("lookup"), _need("cost", Double),
)  # fmt: skip

lookups = Table(
    "lookups", metadata, _key("provider", Text), _key("lookup", Text), _key("key_hmac", LargeBinary), _need("state"),
    _may("findings", JSONB), _may("answered_at", TIME), _need("cost_usd", Numeric(12, 6)), _may("paid_by", Uuid),
    _may("ask_again_at", TIME), _may("reason"), _may("handle"), _need("token", BigInteger), _may("lease_until", TIME),
    _need("reserved_usd", Numeric(12, 6)), _need("reserved_in", JSONB),
)  # fmt: skip
spend = Table(
    "spend", metadata, _key("scope", Text), _key("period", Text), _need("reserved_usd", Numeric(14, 6)),
    _need("settled_usd", Numeric(14, 6)), _need("updated_at", TIME), _need("reserved_tokens", BigInteger),
    _need("settled_tokens", BigInteger),
)  # fmt: skip

analyses = Table(
    "analyses", metadata, _key("key_hmac", LargeBinary), _need("analyst"), _need("model"), _need("state"),
    _may("answer", JSONB), _may("reason"), _may("ask_again_at", TIME), _need("token", BigInteger),
    _may("lease_until", TIME), _may("paid_by", Uuid), _need("input_tokens", Integer), _need("output_tokens", Integer),
    _need("cost_usd", Numeric(12, 6)), _need("reserved_usd", Numeric(12, 6)), _need("reserved_tokens", BigInteger),
    _may("reserved_day"), _need("expires_at", TIME),
)  # fmt: skip
analysis_uses = Table("analysis_uses", metadata, _key("lead_id"), _key("key_hmac", LargeBinary))

claims = Table(
    "claims", metadata, _key("id"), _need("lead_id", Uuid), _need("job_id", Uuid), _need("ref"),
    _need("field"), _may("value", JSONB), _need("statement"), _need("citations", JSONB), _need("verdict"),
    _need("score", Double), _need("decided_by"), _may("expected", JSONB), _may("found", JSONB),
    _need("supporting", JSONB), _need("opposing", JSONB), _need("created_at", TIME), _need("spans", JSONB),
)  # fmt: skip
reviews = Table(
    "reviews", metadata, _key("id"), _need("lead_id", Uuid), _need("job_id", Uuid), _need("run_version", Integer),
    _need("kind"), _need("questioned", JSONB), _need("state"), _may("decision"), _may("reason"),
    _need("decisions", JSONB), _may("decided_by"), _need("created_at", TIME), _may("closed_at", TIME),
)  # fmt: skip

outcomes = Table(
    "outcomes", metadata, _key("id"), _need("lead_id", Uuid), _need("kind"), _need("happened_at", TIME),
    _may("value_minor", BigInteger), _may("currency"), _may("owner_id"), _need("recorded_by"),
    _need("recorded_at", TIME),
)  # fmt: skip
sla_timers = Table(
    "sla_timers", metadata, _key("id", server_default=text("uuidv7()")), _need("lead_id", Uuid),
    _need("number", Integer), _need("given"), _need("tier"), _need("owner_id"), _need("owner_name"), _need("reason"),
    _need("rules"), _need("started_at", TIME), _may("remind_at", TIME), _need("due_at", TIME), _need("state"),
    _may("next_at", TIME), _may("written"), _may("reminded_at", TIME), _may("reminder"), _may("breached_at", TIME),
    _may("ended_at", TIME), _may("look_at", TIME), _may("unanswered_since", TIME), _may("crm_status"),
    _may("unanswered_at", TIME),
)  # fmt: skip
crm_silence = Table("crm_silence", metadata, _key("asker", Text), _need("since", TIME), _need("last_at", TIME))
owner_moves = Table(
    "owner_moves", metadata, _key("id", server_default=text("uuidv7()")), _need("lead_id", Uuid), _need("owner_id"),
    _need("owner_name"), _need("reason"), _need("made_at", TIME), _need("next_at", TIME),
)  # fmt: skip

actions = Table(
    "actions", metadata, _key("action_key"), _need("record_key", Uuid), _need("object_type"), _need("tool"),
    _need("run_version", Integer), _need("caller"), _need("args", JSONB), _need("args_hmac", LargeBinary),
    _need("state"), _may("lease_token", BigInteger), _need("tries", Integer), _need("planned_at", TIME),
    _may("sent_at", TIME), _may("absent_at", TIME), _may("looked_at", TIME), _may("settled_at", TIME), _may("crm_id"),
    _may("result", JSONB), _may("error"), _may("job_id", Uuid), _need("lead_id", Uuid),
)  # fmt: skip

audit_events = Table(
    "audit_events", metadata, _key("id"), _need("ts", TIME), _need("actor"), _need("action"),
    _need("outcome"), _may("lead_id", Uuid), _may("job_id", Uuid), _may("action_key", Uuid), _may("trace_id"),
    _need("detail", JSONB), _need("leaf_hash", LargeBinary),
)  # fmt: skip
audit_pending = Table("audit_pending", metadata, _key("event_id"))
audit_leaves = Table(
    "audit_leaves",
    metadata,
    _key("seq", BigInteger),
    _need("event_id", Uuid),
    _need("leaf_hash", LargeBinary),
)
audit_checkpoints = Table(
    "audit_checkpoints", metadata, _key("tree_size", BigInteger), _need("root_hash", LargeBinary),
    _need("note"), _need("created_at", TIME),
)  # fmt: skip

api_keys = Table(
    "api_keys", metadata, _key("id", server_default=text("uuidv7()")), _need("key_sha256", LargeBinary),
    _need("prefix"), _need("role"),
    _need("name"), _need("created_at", TIME), _may("revoked_at", TIME),
)  # fmt: skip
controls = Table(
    "controls", metadata, _key("name", Text), _need("value", JSONB), _need("set_by"), _need("set_at", TIME)
)
mock_crm_records = Table(
    "mock_crm_records", metadata, _key("object_type", Text), _key("record_key"), _need("crm_id"),
    _need("fields", JSONB), _need("created_at", TIME), _need("updated_at", TIME),
)  # fmt: skip
imports = Table(
    "imports", metadata, _key("id"), _need("state"), _need("rows", Integer), _need("accepted", Integer),
    _need("duplicates", Integer), _need("quarantined", Integer), _need("rejected", Integer), _need("mapping", JSONB),
    _may("columns", JSONB), _may("delimiter"), _may("error"), _may("created_by", Uuid), _need("created_at", TIME),
    _need("updated_at", TIME), _may("finished_at", TIME),
)  # fmt: skip
import_rejects = Table(
    "import_rejects", metadata, _key("import_id"), _key("line", Integer), _need("reason"), _need("raw"),
)  # fmt: skip

reps = Table(
    "reps", metadata, _key("id", Text), _need("data", JSONB), _may("removed_at", TIME), _need("updated_at", TIME)
)
rotations = Table("rotations", metadata, _key("pool", Text), _need("state", JSONB), _need("updated_at", TIME))
turns = Table(
    "turns", metadata, _key("pool", Text), _key("lead_id"), _need("rep_id"), _need("number", BigInteger),
    _need("taken_at", TIME),
)  # fmt: skip

source_cursors = Table(
    "source_cursors", metadata, _key("source", Text), _need("cursor", JSONB), _may("pulled_at", TIME),
    _may("not_before", TIME), _need("updated_at", TIME),
)  # fmt: skip
campaigns = Table(
    "campaigns", metadata, _key("id", Text), _may("name"), _need("source"), _may("leads", Integer),
    _may("pulled_at", TIME),
)  # fmt: skip
approvals = Table(
    "approvals", metadata, _key("id", server_default=text("uuidv7()")), _need("action_key", Uuid),
    _need("call_hmac", LargeBinary), _need("tool"), _need("args", JSONB), _need("caller"), _need("rule"),
    _need("approver"), _need("state"), _need("lead_id", Uuid), _may("job_id", Uuid), _may("trace_id"),
    _need("asked_at", TIME), _need("expires_at", TIME), _may("decided_at", TIME), _may("decided_by"),
    _may("used_at", TIME), _need("queued", Boolean),
    _need("client_asks_left", SmallInteger),
)  # fmt: skip
erasures = Table(
    "erasures", metadata, _key("key", Text), _need("erased_at", TIME), _may("reopened_at", TIME), _need("reason"),
    _need("erased_by"),
)  # fmt: skip
routines = Table("routines", metadata, _key("name", Text), _need("begun_at", TIME), _may("ended_at", TIME))

scores = Table(
    "scores", metadata, _key("id"), _need("lead_id", Uuid), _may("job_id", Uuid), _may("scoring_id", Uuid),
    _need("run_version", Integer), _need("profile"), _need("total", Integer), _need("tier"), _need("intent"),
    _need("fit", Integer), _need("factors", JSONB), _need("missing", JSONB), _need("not_understood", JSONB),
    _need("reasoning"), _need("scored_at", TIME),
)  # fmt: skip
offers = Table(
    "offers", metadata, _key("id", server_default=text("uuidv7()")), _need("name"), _need("value_propositions", JSONB),
    _need("ideal_use_cases", JSONB), _may("profile"), _may("campaign_id"), _need("created_by"),
    _need("created_at", TIME), _may("request_key", Uuid), _may("request_sha256", LargeBinary),
    _may("withdrawn_at", TIME),
)  # fmt: skip
scorings = Table(
    "scorings", metadata, _key("id", server_default=text("uuidv7()")), _need("scope"), _may("campaign_id"),
    _may("offer_id", Uuid), _may("profile"), _need("state"), _need("leads", Integer), _need("scored", Integer),
    _need("skipped", Integer), _may("cursor", Uuid), _need("lease_token", BigInteger), _may("lease_until", TIME),
    _may("error"), _need("created_by"), _need("created_at", TIME), _need("updated_at", TIME),
    _may("finished_at", TIME), _may("request_key", Uuid), _may("request_sha256", LargeBinary),
)  # fmt: skip
