"""The schema: what migrations make is what the models say, and each role can do what it must and no more."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from revenueflow.audit.trail import Subject, row
from revenueflow.db import audit_events, migrate
from revenueflow.db.engine import engine_for, sqlalchemy_url
from revenueflow.db.models import metadata
from revenueflow.db.session import Database
from revenueflow.devserver import cluster
from revenueflow.devserver.cluster import DatabaseUrls
from revenueflow.domain.outcome import AuditEntry
from revenueflow.errors import ConfigurationError, Unavailable
from revenueflow.settings import DatabaseSettings
from tests.support import sql
from tests.support.servers import Servers

DENIED = (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidGrantOperationError)
AUDIT = ("audit_events", "audit_pending", "audit_leaves", "audit_checkpoints")
OURS = (
    "deliveries", "leads", "jobs", "steps", "evidence", "claims", "actions", "api_keys", "controls", "lookups",
    "spend", "imports", "import_rejects", "source_cursors", "campaigns", "reviews", "analyses", "analysis_uses",
    "approvals", "erasures", "routines", "scores", "offers", "scorings", "reps", "rotations", "turns", "outcomes",
    "sla_timers", "owner_moves", "crm_silence",
)  # fmt: skip


def differences(connection: Connection) -> list[Any]:
    """What autogenerate would change. Indexes and constraints are the migrations' own business."""
    context = MigrationContext.configure(connection, opts={"version_table": "schema_version"})
    found = compare_metadata(context, metadata)
    return [one for one in found if one[0] not in ("remove_index", "remove_fk", "remove_constraint")]


async def test_migrations_make_what_the_models_say(worker_database: DatabaseUrls) -> None:
    engine = create_async_engine(sqlalchemy_url(worker_database.owner_url))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


@pytest.fixture
def empty(servers: Servers) -> Iterator[DatabaseUrls]:
    """A database that was never migrated."""
    name = f"{servers.prefix}_{secrets.token_hex(5)}"
    yield cluster.prepare_database(servers.superuser_url, name)
    cluster.drop_database(servers.superuser_url, name)


def test_upgrading_twice_changes_nothing(empty: DatabaseUrls) -> None:
    migrate.upgrade(empty.owner_url)
    sql.rows(empty.app_url, "INSERT INTO controls (name, value, set_by) VALUES ('paused', 'true', 'test')")
    migrate.upgrade(empty.owner_url)
    assert sql.value(empty.app_url, "SELECT version_num FROM schema_version") == migrate.newest()
    assert sql.value(empty.app_url, "SELECT count(*) FROM controls") == 1


def test_a_role_that_may_not_is_told_which_setting(empty: DatabaseUrls) -> None:
    with pytest.raises(ConfigurationError, match=r"^MIGRATION_DATABASE_URL: .*owner"):
        migrate.upgrade(empty.app_url)
    with pytest.raises(ConfigurationError, match=r"^MIGRATION_DATABASE_URL: ") as caught:
        migrate.upgrade(empty.owner_url.replace("revenueflow_owner:", "revenueflow_owner:x"))
    assert cluster.role_password(empty.superuser_url, cluster.OWNER) not in str(caught.value)
    with pytest.raises(Unavailable):
        migrate.upgrade("postgresql://owner@127.0.0.1:1/x")


async def test_a_program_before_its_schema_says_what_to_do(empty: DatabaseUrls) -> None:
    async with engine_for(DatabaseSettings(url=empty.owner_url), application="test") as engine:
        with pytest.raises(Unavailable, match="revenueflow migrate"):
            async with Database(engine).transaction() as session:
                await audit_events.append(session, [])
        async with Database(engine).transaction() as session:
            assert await migrate.present(session) is None


DELIVERY = """
    INSERT INTO deliveries (id, source, delivery_key, raw, body_sha256, content_type, lead_id, outcome, trace_id)
    VALUES ($1, 'test', $2, '', '', '', $3, $4, '')
"""
JOB = """
    INSERT INTO jobs (lead_id, run_version, wanted_version, state, lease_until, trace_id)
    VALUES ($1, $2, $3, $4, $5, '')
"""
LEAD = "INSERT INTO leads (id, campaign_id, identity_key, version, received_at, {}) VALUES ($1, '', '', 1, now(), {})"


@pytest.mark.parametrize(
    ("query", "values", "constraint"),
    [
        (DELIVERY, (uuid4(), "a", None, "accepted"), "ck_deliveries_lead"),
        (DELIVERY, (uuid4(), "a", uuid4(), "quarantined"), "ck_deliveries_lead"),
        (DELIVERY, (uuid4(), "a", uuid4(), "lost"), "ck_deliveries_outcome"),
        (JOB, (uuid4(), 2, 1, "ready", None), "ck_jobs_versions"),
        (JOB, (uuid4(), 1, 1, "leased", None), "ck_jobs_lease"),
        (JOB, (uuid4(), 1, 1, "sleeping", None), "ck_jobs_state"),
        (LEAD.format("status", "'new'"), (uuid4(),), "ck_leads_status"),
        (LEAD.format("status, score", "'accepted', 101"), (uuid4(),), "ck_leads_score"),
        (LEAD.format("status, tier", "'accepted', 'lukewarm'"), (uuid4(),), "ck_leads_tier"),
        (LEAD.format("status, intent", "'accepted', 'HIGH'"), (uuid4(),), "ck_leads_intent"),
        ("INSERT INTO api_keys (key_sha256, prefix, role, name) VALUES ('x', '', 'root', '')", (), "ck_api_keys_role"),
    ],
)
def test_rows_that_contradict_themselves_are_refused(
    worker_database: DatabaseUrls, query: str, values: tuple[object, ...], constraint: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match=constraint):
        sql.rows(worker_database.app_url, query, *values)


@pytest.mark.parametrize("state", ["ready", "parked"])
def test_a_lead_has_one_live_job(worker_database: DatabaseUrls, state: str) -> None:
    lead = uuid4()
    sql.rows(worker_database.app_url, JOB, lead, 1, 1, "done", None)
    sql.rows(worker_database.app_url, JOB, lead, 2, 2, state, None)
    sql.rows(worker_database.app_url, JOB, lead, 3, 3, "dead", None)
    with pytest.raises(asyncpg.UniqueViolationError, match="uq_jobs_live_lead"):
        sql.rows(worker_database.app_url, JOB, lead, 4, 4, "ready", None)


def event(**detail: Any) -> dict[str, Any]:
    return row(Subject(uuid4(), None, "t"), AuditEntry("test.happened", "done", detail))


def append(url: str, *events: dict[str, Any]) -> None:
    sql.rows(url, "SELECT audit_append($1::jsonb)", orjson.dumps(events).decode())


def test_the_application_appends_through_the_function(worker_database: DatabaseUrls) -> None:
    one, other = event(n=1), event(n=2)
    append(worker_database.app_url, one, other)
    shown = sql.rows(worker_database.app_url, "SELECT id::text FROM audit_trail WHERE id = $1::uuid", one["id"])
    assert shown == [{"id": one["id"]}]
    waiting = sql.rows(worker_database.sealer_url, "SELECT event_id::text FROM audit_pending")
    assert {one["id"], other["id"]} <= {found["event_id"] for found in waiting}
    with pytest.raises(asyncpg.UniqueViolationError):
        append(worker_database.app_url, one)
    with pytest.raises(asyncpg.CheckViolationError):
        append(worker_database.app_url, event() | {"leaf_hash": "00"})


DDL = (
    "ALTER TABLE {} DISABLE TRIGGER ALL", "ALTER TABLE {} DISABLE TRIGGER {}_no_truncate", "DROP TABLE {} CASCADE",
    "ALTER TABLE {} RENAME TO gone", "ALTER TABLE {} ADD COLUMN n integer", "ALTER TABLE {} OWNER TO CURRENT_USER",
    "CREATE INDEX mine ON {} ((1))", "COMMENT ON TABLE {} IS 'x'",
    "CREATE RULE mine AS ON INSERT TO {} DO INSTEAD NOTHING", "TRUNCATE {} CASCADE",
    "CREATE TRIGGER mine BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "DROP TRIGGER {}_no_truncate ON {}", "DELETE FROM {}",
)  # fmt: skip
FUNCTIONS = (
    "DROP FUNCTION audit_append(jsonb)", "DROP FUNCTION audit_refuse() CASCADE",
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "ALTER FUNCTION audit_append(jsonb) SECURITY INVOKER",
    "ALTER FUNCTION audit_append(jsonb) SET search_path = pg_temp",
    "DROP VIEW audit_trail", "DROP VIEW audit_sealed CASCADE",
    "CREATE OR REPLACE VIEW audit_trail AS SELECT NULL::uuid AS id", "SET session_replication_role = replica",
    "DROP SCHEMA public CASCADE", "ALTER ROLE CURRENT_USER SUPERUSER", "CREATE ROLE mine",
    "COPY audit_events TO PROGRAM 'true'",
)  # fmt: skip
ROLES = ("app", "sealer", "auditor")


def assert_denied(url: str, statement: str) -> None:
    try:
        sql.rows(url, statement)
    except asyncpg.PostgresError as error:
        assert isinstance(error, DENIED), f"{statement}: {error}"
    else:
        pytest.fail(f"not denied: {statement}")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", AUDIT)
def test_no_role_changes_the_tables_of_the_trail(worker_database: DatabaseUrls, role: str, table: str) -> None:
    """Not their rows and not themselves. The sealer alone takes what is pending, which it gives a place."""
    url = getattr(worker_database, f"{role}_url")
    for statement in DDL:
        if (role, table, statement) == ("sealer", "audit_pending", "DELETE FROM {}"):
            continue
        assert_denied(url, statement.format(table, table))


@pytest.mark.parametrize("role", ROLES)
def test_no_role_changes_what_guards_the_trail(worker_database: DatabaseUrls, role: str) -> None:
    url = getattr(worker_database, f"{role}_url")
    for statement in FUNCTIONS:
        assert_denied(url, statement)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", AUDIT)
def test_no_role_has_more_rights_on_the_trail_than_it_needs(
    worker_database: DatabaseUrls, role: str, table: str
) -> None:
    needed = {
        ("sealer", "audit_events"): {"SELECT"}, ("sealer", "audit_pending"): {"SELECT", "DELETE"},
        ("sealer", "audit_leaves"): {"SELECT", "INSERT"}, ("sealer", "audit_checkpoints"): {"SELECT", "INSERT"},
    }  # fmt: skip
    rights = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")
    asked, name = "SELECT has_table_privilege($1, $2, $3)", f"revenueflow_{role}"
    found = {right for right in rights if sql.value(worker_database.superuser_url, asked, name, table, right)}
    assert found == needed.get((role, table), set())
    columns = "SELECT has_any_column_privilege($1, $2, 'UPDATE')"
    assert not sql.value(worker_database.superuser_url, columns, f"revenueflow_{role}", table)


@pytest.mark.parametrize("table", AUDIT)
def test_the_application_cant_touch_the_audit_tables(worker_database: DatabaseUrls, table: str) -> None:
    column = {"audit_events": "actor", "audit_pending": "event_id", "audit_leaves": "seq", "audit_checkpoints": "note"}
    statements = (
        f"SELECT * FROM {table}", f"UPDATE {table} SET {column[table]} = NULL", f"DELETE FROM {table}",
        f"TRUNCATE {table}", f"INSERT INTO {table} DEFAULT VALUES", f"DROP TABLE {table}",
        f"ALTER TABLE {table} DISABLE TRIGGER ALL",
    )  # fmt: skip
    for statement in statements:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            sql.rows(worker_database.app_url, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (n integer)",
        "CREATE SCHEMA mine",
        "CREATE OR REPLACE FUNCTION audit_append(events jsonb) RETURNS void LANGUAGE sql AS ''",
        "DROP FUNCTION audit_append(jsonb)",
        "ALTER TABLE leads ADD COLUMN n integer",
        "DROP TABLE leads",
        "TRUNCATE deliveries",
        "CREATE VIEW public.mine AS SELECT 1",
        "INSERT INTO audit_trail (id) VALUES (gen_random_uuid())",
        "DELETE FROM audit_trail",
        "SET ROLE revenueflow_sealer",
        "SET ROLE revenueflow_owner",
        "UPDATE schema_version SET version_num = 'x'",
    ],
)
def test_the_application_cant_change_the_schema_or_its_role(worker_database: DatabaseUrls, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        sql.rows(worker_database.app_url, statement)


async def test_a_table_of_the_callers_own_does_not_capture_the_function(worker_database: DatabaseUrls) -> None:
    one = event()
    connection = await asyncpg.connect(worker_database.app_url)
    await connection.execute("CREATE TEMP TABLE audit_events AS SELECT * FROM audit_trail WITH NO DATA")
    await connection.execute("SET search_path = pg_temp, public")
    await connection.execute("SELECT public.audit_append($1::jsonb)", orjson.dumps([one]).decode())
    await connection.close()
    query = "SELECT count(*) FROM public.audit_events WHERE id = $1::uuid"
    assert sql.value(worker_database.sealer_url, query, one["id"]) == 1


def seal(url: str, id_: str, seq: int) -> None:
    sql.rows(url, "DELETE FROM audit_pending WHERE event_id = $1::uuid", id_)
    sql.rows(url, "INSERT INTO audit_leaves (seq, event_id, leaf_hash) VALUES ($2, $1::uuid, '')", id_, seq)
    sql.rows(url, "INSERT INTO audit_checkpoints (tree_size, root_hash, note) VALUES ($1, '', '')", seq)


def test_the_sealer_seals_and_changes_nothing(database: DatabaseUrls) -> None:
    one, sealer = event(), database.sealer_url
    append(database.app_url, one)
    seal(sealer, one["id"], 1)
    assert sql.value(sealer, "SELECT event_id::text FROM audit_leaves") == one["id"]
    forbidden = [
        "UPDATE audit_events SET actor = 'x'", "DELETE FROM audit_events", "TRUNCATE audit_events CASCADE",
        "UPDATE audit_leaves SET seq = 9", "DELETE FROM audit_leaves", "DELETE FROM audit_checkpoints",
        "UPDATE audit_checkpoints SET note = 'x'", "UPDATE audit_pending SET event_id = event_id",
        "INSERT INTO audit_events (id) VALUES (uuidv7())", "SELECT audit_append('[]')", "SELECT * FROM leads",
        "SELECT * FROM api_keys", "CREATE TABLE mine (n integer)",
    ]  # fmt: skip
    for statement in forbidden:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            sql.rows(sealer, statement)


def test_the_auditor_reads_the_trail_and_nothing_else(database: DatabaseUrls) -> None:
    one, auditor = event(), database.auditor_url
    append(database.app_url, one)
    assert sql.value(auditor, "SELECT id::text FROM audit_trail") == one["id"]
    forbidden = [f"SELECT * FROM {table}" for table in (*OURS, *AUDIT)]
    for statement in (
        *forbidden,
        "DELETE FROM audit_trail",
        "SELECT audit_append('[]')",
        "CREATE TABLE mine (n integer)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            sql.rows(auditor, statement)


def test_not_even_the_owner_changes_what_was_written(database: DatabaseUrls) -> None:
    sealed, waiting = event(), event()
    append(database.app_url, sealed, waiting)
    seal(database.sealer_url, sealed["id"], 1)
    forbidden = [
        "UPDATE audit_events SET actor = 'x'", "DELETE FROM audit_events", "TRUNCATE audit_events CASCADE",
        "UPDATE audit_leaves SET seq = 9", "DELETE FROM audit_leaves", "TRUNCATE audit_leaves",
        "UPDATE audit_checkpoints SET note = ''", "DELETE FROM audit_checkpoints", "TRUNCATE audit_checkpoints",
        "TRUNCATE audit_pending", "UPDATE audit_pending SET event_id = event_id",
    ]  # fmt: skip
    for statement in forbidden:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            sql.rows(database.owner_url, statement)
