-- What the CRM says of leads that wait for a first touch, and owners of whom it has not been told.

-- `look_at` is when the CRM is asked next whether somebody touched the lead, null before the first time;
-- `unanswered_since` since when it does not answer; `crm_status` where its record stood then, `none` for a new one.
ALTER TABLE sla_timers
    ADD COLUMN look_at timestamptz,
    ADD COLUMN unanswered_since timestamptz,
    ADD COLUMN crm_status text;
-- What has been overdue for long is not asked about.
UPDATE sla_timers SET look_at = now() + interval '100 years'
    WHERE state = 'overdue' AND due_at < now() - interval '14 days';
CREATE INDEX ix_sla_timers_look ON sla_timers ((coalesce(look_at, started_at))) WHERE state IN ('open', 'overdue');

-- A lead that somebody gave to another owner, until the CRM was told. `id` is the key of what is told; `next_at` is when
-- to try, by the database's clock.
CREATE TABLE owner_moves (
    id uuid CONSTRAINT pk_owner_moves PRIMARY KEY DEFAULT uuidv7(),
    lead_id uuid NOT NULL CONSTRAINT uq_owner_moves_lead_id UNIQUE,
    owner_id text NOT NULL,
    owner_name text NOT NULL,
    reason text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    next_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_owner_moves_next ON owner_moves (next_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON owner_moves TO revenueflow_app;
