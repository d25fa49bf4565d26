-- Since when the CRM answers nobody who asks about touches: at most one row, none while it answers. `since` begins anew if
-- the last question without an answer (`last_at`) was long ago.
CREATE TABLE crm_silence (
    asker text CONSTRAINT pk_crm_silence PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT now(),
    last_at timestamptz NOT NULL DEFAULT now()
);
-- The same for one lead, whose record may be what the CRM does not give.
ALTER TABLE sla_timers ADD COLUMN unanswered_at timestamptz;

GRANT SELECT, INSERT, UPDATE, DELETE ON crm_silence TO revenueflow_app;
