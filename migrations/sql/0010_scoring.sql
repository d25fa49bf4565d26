-- What each score was made of, and when: a lead keeps every one. One for each run of the pipeline, and one for each run
-- that scores stored leads anew (`scoring_id`); a run that is repeated writes its own again.
CREATE TABLE scores (
    id uuid CONSTRAINT pk_scores PRIMARY KEY,
    lead_id uuid NOT NULL,
    job_id uuid,
    scoring_id uuid,
    run_version integer NOT NULL,
    profile text NOT NULL,
    total integer NOT NULL,
    tier text NOT NULL,
    intent text NOT NULL,
    fit integer NOT NULL,
    factors jsonb NOT NULL,
    missing jsonb NOT NULL DEFAULT '[]',
    not_understood jsonb NOT NULL DEFAULT '[]',
    reasoning text NOT NULL DEFAULT '',
    scored_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_scores_total CHECK (total BETWEEN 0 AND 100),
    CONSTRAINT ck_scores_tier CHECK (tier IN ('hot', 'warm', 'cold')),
    CONSTRAINT ck_scores_intent CHECK (intent IN ('high', 'medium', 'low'))
);
CREATE INDEX ix_scores_lead_id ON scores (lead_id, scored_at DESC, id DESC);

-- What people sell. An offer is never changed: a new one is made.
CREATE TABLE offers (
    id uuid CONSTRAINT pk_offers PRIMARY KEY DEFAULT uuidv7(),
    name text NOT NULL,
    value_propositions jsonb NOT NULL DEFAULT '[]',
    ideal_use_cases jsonb NOT NULL DEFAULT '[]',
    profile text,
    campaign_id text,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_offers_campaign_id ON offers (campaign_id, created_at DESC);

-- Runs that score stored leads anew. A worker takes one under a lease, and goes on after `cursor`, the last lead that is
-- done; whoever holds an older token writes nothing.
CREATE TABLE scorings (
    id uuid CONSTRAINT pk_scorings PRIMARY KEY DEFAULT uuidv7(),
    scope text NOT NULL,
    campaign_id text,
    offer_id uuid,
    profile text,
    state text NOT NULL DEFAULT 'ready',
    leads integer NOT NULL DEFAULT 0,
    scored integer NOT NULL DEFAULT 0,
    skipped integer NOT NULL DEFAULT 0,
    cursor uuid,
    lease_token bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    error text,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT ck_scorings_scope CHECK (scope IN ('all', 'campaign', 'unscored')),
    CONSTRAINT ck_scorings_campaign CHECK ((scope = 'campaign') = (campaign_id IS NOT NULL)),
    CONSTRAINT ck_scorings_state CHECK (state IN ('ready', 'running', 'done', 'failed')),
    CONSTRAINT ck_scorings_finished CHECK ((state IN ('done', 'failed')) = (finished_at IS NOT NULL))
);
CREATE INDEX ix_scorings_open ON scorings (created_at) WHERE state IN ('ready', 'running');

GRANT SELECT, INSERT, UPDATE, DELETE ON scores, offers, scorings TO revenueflow_app;
