-- The audit trail: append-only. The application can call audit_append() and read the view; nothing else.

CREATE TABLE audit_events (
    id uuid CONSTRAINT pk_audit_events PRIMARY KEY,
    ts timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    outcome text NOT NULL,
    lead_id uuid,
    job_id uuid,
    action_key uuid,
    trace_id text,
    detail jsonb NOT NULL DEFAULT '{}',
    leaf_hash bytea NOT NULL,
    CONSTRAINT ck_audit_events_leaf_hash CHECK (octet_length(leaf_hash) = 32)
);
CREATE INDEX ix_audit_events_lead_id ON audit_events (lead_id, ts);
CREATE INDEX ix_audit_events_ts ON audit_events (ts);

-- Events that the sealer has not given a place in the tree yet.
CREATE TABLE audit_pending (
    event_id uuid CONSTRAINT pk_audit_pending PRIMARY KEY
        CONSTRAINT fk_audit_pending_event_id_audit_events REFERENCES audit_events (id)
);

CREATE TABLE audit_leaves (
    seq bigint CONSTRAINT pk_audit_leaves PRIMARY KEY,
    event_id uuid NOT NULL CONSTRAINT uq_audit_leaves_event_id UNIQUE
        CONSTRAINT fk_audit_leaves_event_id_audit_events REFERENCES audit_events (id),
    leaf_hash bytea NOT NULL
);

CREATE TABLE audit_checkpoints (
    tree_size bigint CONSTRAINT pk_audit_checkpoints PRIMARY KEY,
    root_hash bytea NOT NULL,
    note text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_leaves_append_only BEFORE UPDATE OR DELETE ON audit_leaves
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_leaves_no_truncate BEFORE TRUNCATE ON audit_leaves
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_checkpoints_append_only BEFORE UPDATE OR DELETE ON audit_checkpoints
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_checkpoints_no_truncate BEFORE TRUNCATE ON audit_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_pending_no_update BEFORE UPDATE ON audit_pending
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_pending_no_truncate BEFORE TRUNCATE ON audit_pending
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

-- Appends a batch of events. `events` is a JSON array of objects with the columns of audit_events as keys; times
-- are RFC 3339, leaf_hash is hex. Runs with the owner's rights: the caller needs none on the tables.
CREATE FUNCTION audit_append(events jsonb) RETURNS void LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
    WITH added AS (
        INSERT INTO public.audit_events
            (id, ts, actor, action, outcome, lead_id, job_id, action_key, trace_id, detail, leaf_hash)
        SELECT e.id, e.ts, e.actor, e.action, e.outcome, e.lead_id, e.job_id, e.action_key, e.trace_id,
               e.detail, decode(e.leaf_hash, 'hex')
        FROM jsonb_to_recordset(events) AS e(
            id uuid, ts timestamptz, actor text, action text, outcome text, lead_id uuid, job_id uuid,
            action_key uuid, trace_id text, detail jsonb, leaf_hash text)
        RETURNING id
    )
    INSERT INTO public.audit_pending (event_id) SELECT id FROM added
$$;

CREATE VIEW audit_trail AS
    SELECT id, ts, actor, action, outcome, lead_id, job_id, action_key, trace_id, detail FROM audit_events;
