-- What sales did with a lead, and until when somebody is to touch it.

-- The history: rows are added, never changed. `id` is made of what is said, so saying it twice is saying it once.
-- No personal data: it outlives the erasing of a person.
CREATE TABLE outcomes (
    id uuid CONSTRAINT pk_outcomes PRIMARY KEY,
    lead_id uuid NOT NULL,
    kind text NOT NULL,
    happened_at timestamptz NOT NULL,
    value_minor bigint,
    currency text,
    owner_id text,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_outcomes_kind CHECK (kind IN ('touched', 'meeting', 'converted', 'won', 'lost')),
    CONSTRAINT ck_outcomes_value CHECK ((value_minor IS NULL) = (currency IS NULL) AND value_minor >= 0),
    CONSTRAINT ck_outcomes_currency CHECK (currency ~ '^[A-Z]{3}$')
);
CREATE INDEX ix_outcomes_lead_id ON outcomes (lead_id, happened_at);
CREATE INDEX ix_outcomes_recorded_at ON outcomes (recorded_at DESC, id DESC);

-- One row for each time that somebody was given a lead: until when to touch it, and what became of that.
-- `next_at` is when a scheduler must look again, by the database's clock; null when there is nothing left to do.
-- `written` is what became of telling the CRM about an owner whom the timer chose; null while that is owed.
CREATE TABLE sla_timers (
    id uuid CONSTRAINT pk_sla_timers PRIMARY KEY DEFAULT uuidv7(),
    lead_id uuid NOT NULL,
    number integer NOT NULL,
    given text NOT NULL,
    tier text NOT NULL,
    owner_id text NOT NULL,
    owner_name text NOT NULL,
    reason text NOT NULL,
    rules text NOT NULL,
    started_at timestamptz NOT NULL,
    remind_at timestamptz,
    due_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'open',
    next_at timestamptz,
    written text,
    reminded_at timestamptz,
    reminder text,
    breached_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT uq_sla_timers_lead_id_number UNIQUE (lead_id, number),
    CONSTRAINT ck_sla_timers_given CHECK (given IN ('routed', 'passed_on')),
    CONSTRAINT ck_sla_timers_tier CHECK (tier IN ('hot', 'warm', 'cold')),
    CONSTRAINT ck_sla_timers_state CHECK (state IN ('open', 'overdue', 'passed', 'touched', 'closed', 'replaced')),
    CONSTRAINT ck_sla_timers_ended CHECK ((state IN ('open', 'overdue')) = (ended_at IS NULL))
);
-- One running timer for a lead, whoever starts or passes it on at the same moment.
CREATE UNIQUE INDEX uq_sla_timers_live ON sla_timers (lead_id) WHERE state IN ('open', 'overdue');
CREATE INDEX ix_sla_timers_next ON sla_timers (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX ix_sla_timers_overdue ON sla_timers (tier) WHERE state = 'overdue';

-- For reports: no names, no addresses, no texts of the person; erased leads are left out.
CREATE VIEW leads_report AS
    SELECT l.id AS lead_id, l.campaign_id AS campaign, l.source, l.country, l.status, l.tier, l.score, l.profile, l.stage,
           l.owner_id AS owner, l.received_at, l.first_touch_at,
           extract(epoch FROM l.first_touch_at - l.received_at)::double precision AS seconds_to_first_touch,
           worth.kind AS valued_by, worth.value_minor AS outcome_value_minor, worth.currency AS outcome_currency,
           coalesce(timers.taken, 0) AS timers, coalesce(timers.breached, false) AS sla_breached
    FROM leads l
    LEFT JOIN LATERAL (
        SELECT kind, value_minor, currency FROM outcomes
        WHERE lead_id = l.id AND value_minor IS NOT NULL ORDER BY happened_at DESC, recorded_at DESC LIMIT 1) worth ON true
    LEFT JOIN LATERAL (
        SELECT count(*)::integer AS taken, bool_or(breached_at IS NOT NULL) AS breached
        FROM sla_timers WHERE lead_id = l.id) timers ON true
    WHERE l.erased_at IS NULL;

GRANT SELECT, INSERT ON outcomes TO revenueflow_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON sla_timers TO revenueflow_app;
GRANT SELECT ON leads_report TO revenueflow_app, revenueflow_auditor;
