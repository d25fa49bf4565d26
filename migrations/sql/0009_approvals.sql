-- A person's word on one exact call: its key, and an HMAC over tool, arguments and caller.
CREATE TABLE approvals (
    id uuid CONSTRAINT pk_approvals PRIMARY KEY DEFAULT uuidv7(),
    action_key uuid NOT NULL,
    call_hmac bytea NOT NULL,
    tool text NOT NULL,
    -- What the person is asked about. It may be personal data: erasing a lead sets it to '{}'.
    args jsonb NOT NULL,
    caller text NOT NULL,
    rule text NOT NULL,
    approver text NOT NULL,
    state text NOT NULL DEFAULT 'pending',
    lead_id uuid NOT NULL,
    job_id uuid,
    trace_id text,
    asked_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    decided_at timestamptz,
    decided_by text,
    used_at timestamptz,
    CONSTRAINT ck_approvals_state CHECK (state IN ('pending', 'approved', 'used', 'denied', 'expired', 'withdrawn')),
    CONSTRAINT ck_approvals_approver CHECK (approver IN ('operator', 'admin')),
    CONSTRAINT ck_approvals_decided CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CONSTRAINT ck_approvals_used CHECK ((state = 'used') = (used_at IS NOT NULL))
);
-- Of several processes that ask for the same call only one asks a person.
CREATE UNIQUE INDEX uq_approvals_live ON approvals (action_key) WHERE state IN ('pending', 'approved', 'used', 'denied');
CREATE INDEX ix_approvals_action_key ON approvals (action_key);
CREATE INDEX ix_approvals_state ON approvals (state, id);
CREATE INDEX ix_approvals_lead_id ON approvals (lead_id);

-- Writes that left for a lead in the last seconds, each try counted. Whoever asks holds the lead until the end of the
-- transaction, so that two who ask at the same moment don't both take the last place. Volatile: the count sees what was
-- committed while it waited.
CREATE FUNCTION lead_sends(lead uuid, seconds double precision) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1009, hashtext(lead::text));
    RETURN (SELECT coalesce(sum(greatest(tries, 1)), 0) FROM actions
            WHERE lead_id = lead AND sent_at > now() - make_interval(secs => seconds));
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON approvals TO revenueflow_app;
REVOKE ALL ON FUNCTION lead_sends(uuid, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lead_sends(uuid, double precision) TO revenueflow_app;
