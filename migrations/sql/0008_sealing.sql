-- What auditors, the API and verification read: views only. Nobody but the sealer reads the tables themselves.

-- Every place in the tree with its event. An event that is gone leaves its columns null.
CREATE VIEW audit_sealed AS
    SELECT l.seq, l.leaf_hash AS sealed_hash, l.event_id, e.id, e.ts, e.actor, e.action, e.outcome, e.lead_id, e.job_id,
           e.action_key, e.trace_id, e.detail, e.leaf_hash
    FROM audit_leaves l LEFT JOIN audit_events e ON e.id = l.event_id;

-- Events without a place yet. `pending` is false where the sealer would never find it.
CREATE VIEW audit_unsealed AS
    SELECT e.id, e.ts, e.actor, e.action, e.outcome, e.lead_id, e.job_id, e.action_key, e.trace_id, e.detail, e.leaf_hash,
           p.event_id IS NOT NULL AS pending
    FROM audit_events e LEFT JOIN audit_pending p ON p.event_id = e.id
    WHERE NOT EXISTS (SELECT FROM audit_leaves l WHERE l.event_id = e.id);

-- Events that wait for a place and are not there.
CREATE VIEW audit_vanished AS
    SELECT p.event_id FROM audit_pending p WHERE NOT EXISTS (SELECT FROM audit_events e WHERE e.id = p.event_id);

CREATE VIEW audit_roots AS SELECT tree_size, root_hash, note, created_at FROM audit_checkpoints;

-- For people who ask. No personal data is in any of them.
CREATE VIEW lead_history AS
    SELECT lead_id, ts, actor, action, outcome, action_key, detail FROM audit_events WHERE lead_id IS NOT NULL;

CREATE VIEW denials AS
    SELECT ts, actor, action, detail ->> 'tool' AS tool, detail ->> 'code' AS code, lead_id, action_key, trace_id, detail
    FROM audit_events WHERE outcome = 'denied';

CREATE VIEW writes AS
    SELECT action_key, lead_id, tool, object_type, record_key, caller, state, tries, planned_at, sent_at, settled_at, crm_id,
           run_version
    FROM actions;

GRANT SELECT ON audit_sealed, audit_unsealed, audit_vanished, audit_roots TO revenueflow_app, revenueflow_sealer, revenueflow_auditor;
GRANT SELECT ON lead_history, denials, writes TO revenueflow_app, revenueflow_auditor;

-- Nobody here needs tables of their own.
DO $$
BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'only the owner of the database can take the right to temporary tables away';
END $$;
