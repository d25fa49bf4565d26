-- Three roles besides the owner. They are cluster-wide: made here unless the operator made them before, with
-- LOGIN and a password. Another database of the same cluster may be doing the same at this moment.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['revenueflow_app', 'revenueflow_sealer', 'revenueflow_auditor'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
    END LOOP;
END $$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO revenueflow_app, revenueflow_sealer, revenueflow_auditor;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    deliveries, leads, jobs, steps, evidence, claims, actions, api_keys, controls, mock_crm_records
    TO revenueflow_app;
GRANT SELECT ON audit_trail TO revenueflow_app, revenueflow_auditor;

REVOKE ALL ON FUNCTION audit_append(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_append(jsonb) TO revenueflow_app;

GRANT SELECT ON audit_events TO revenueflow_sealer;
GRANT SELECT, DELETE ON audit_pending TO revenueflow_sealer;
GRANT SELECT, INSERT ON audit_leaves, audit_checkpoints TO revenueflow_sealer;
GRANT SELECT ON schema_version TO revenueflow_app;
