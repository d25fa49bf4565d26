-- The first schema. Times are timestamptz; states are CHECKs; ids are made by the application unless noted.

CREATE TABLE deliveries (
    id uuid CONSTRAINT pk_deliveries PRIMARY KEY,
    source text NOT NULL,
    delivery_key text NOT NULL,
    raw bytea NOT NULL,
    body_sha256 bytea NOT NULL,
    content_type text NOT NULL,
    parsed jsonb,
    received_at timestamptz NOT NULL DEFAULT now(),
    lead_id uuid,
    identity_key text,
    outcome text NOT NULL,
    reason text,
    trace_id text NOT NULL,
    CONSTRAINT uq_deliveries_source_delivery_key UNIQUE (source, delivery_key),
    CONSTRAINT ck_deliveries_outcome CHECK (outcome IN ('accepted', 'conflict', 'quarantined', 'spooled')),
    CONSTRAINT ck_deliveries_lead CHECK ((outcome = 'quarantined') = (lead_id IS NULL))
);
CREATE INDEX ix_deliveries_lead_id ON deliveries (lead_id, received_at, id) WHERE lead_id IS NOT NULL;
CREATE INDEX ix_deliveries_quarantined ON deliveries (received_at) WHERE outcome = 'quarantined';

CREATE TABLE leads (
    id uuid CONSTRAINT pk_leads PRIMARY KEY,
    campaign_id text NOT NULL,
    identity_key text NOT NULL,
    version integer NOT NULL,
    form jsonb NOT NULL DEFAULT '{}',
    email text,
    name text,
    phone text,
    company text,
    domain text,
    title text,
    country text,
    source text,
    message text,
    status text NOT NULL,
    stage text,
    fit integer,
    score integer,
    tier text,
    intent text,
    profile text,
    score_factors jsonb NOT NULL DEFAULT '[]',
    owner_id text,
    owner_name text,
    routing_rule text,
    routing_reason text,
    analysis_verdict text,
    signals_missed jsonb NOT NULL DEFAULT '[]',
    crm_id text,
    received_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    processed_at timestamptz,
    first_touch_at timestamptz,
    erased_at timestamptz,
    CONSTRAINT ck_leads_status CHECK (status IN ('accepted', 'processing', 'parked', 'processed', 'dead', 'erased')),
    CONSTRAINT ck_leads_score CHECK (score BETWEEN 0 AND 100),
    CONSTRAINT ck_leads_fit CHECK (fit BETWEEN 0 AND 100),
    CONSTRAINT ck_leads_tier CHECK (tier IN ('hot', 'warm', 'cold')),
    CONSTRAINT ck_leads_intent CHECK (intent IN ('high', 'medium', 'low'))
);
CREATE INDEX ix_leads_received_at ON leads (received_at DESC, id DESC);
CREATE INDEX ix_leads_campaign_id ON leads (campaign_id, received_at DESC, id DESC);
CREATE INDEX ix_leads_identity_key ON leads (identity_key);

CREATE TABLE jobs (
    id uuid CONSTRAINT pk_jobs PRIMARY KEY DEFAULT uuidv7(),
    lead_id uuid NOT NULL,
    run_version integer NOT NULL,
    wanted_version integer NOT NULL,
    priority smallint NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'ready',
    step text NOT NULL DEFAULT 'capture',
    run_at timestamptz NOT NULL DEFAULT now(),
    attempt integer NOT NULL DEFAULT 0,
    lease_owner text,
    lease_token bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    rung_at timestamptz,
    error_class text,
    last_error text,
    trace_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT ck_jobs_state CHECK (state IN ('ready', 'leased', 'parked', 'done', 'dead')),
    CONSTRAINT ck_jobs_lease CHECK ((state = 'leased') = (lease_until IS NOT NULL)),
    CONSTRAINT ck_jobs_versions CHECK (wanted_version >= run_version)
);
-- One live job per lead: what makes a second delivery raise `wanted_version` instead of starting a second run.
CREATE UNIQUE INDEX uq_jobs_live_lead ON jobs (lead_id) WHERE state IN ('ready', 'leased', 'parked');
CREATE INDEX ix_jobs_lead_id ON jobs (lead_id, created_at);
CREATE INDEX ix_jobs_ready ON jobs (run_at) WHERE state = 'ready';
CREATE INDEX ix_jobs_leased ON jobs (lease_until) WHERE state = 'leased';
CREATE INDEX ix_jobs_stuck ON jobs (created_at) WHERE state IN ('dead', 'parked');

CREATE TABLE steps (
    job_id uuid NOT NULL CONSTRAINT fk_steps_job_id_jobs REFERENCES jobs (id) ON DELETE CASCADE,
    name text NOT NULL,
    step_version integer NOT NULL,
    input_sha256 bytea NOT NULL,
    output jsonb NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT now(),
    cost jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT pk_steps PRIMARY KEY (job_id, name)
);

CREATE TABLE evidence (
    id uuid CONSTRAINT pk_evidence PRIMARY KEY,
    lead_id uuid NOT NULL,
    job_id uuid NOT NULL CONSTRAINT fk_evidence_job_id_jobs REFERENCES jobs (id) ON DELETE CASCADE,
    ordinal integer NOT NULL,
    provider text NOT NULL,
    signal text NOT NULL,
    path text NOT NULL,
    value jsonb NOT NULL,
    trust text NOT NULL,
    fetched_at timestamptz NOT NULL,
    CONSTRAINT ck_evidence_trust CHECK (trust IN ('vendor', 'first_party', 'self_reported'))
);
CREATE INDEX ix_evidence_lead_id ON evidence (lead_id, job_id, ordinal);

CREATE TABLE claims (
    id uuid CONSTRAINT pk_claims PRIMARY KEY,
    lead_id uuid NOT NULL,
    job_id uuid NOT NULL CONSTRAINT fk_claims_job_id_jobs REFERENCES jobs (id) ON DELETE CASCADE,
    ref text NOT NULL,
    field text NOT NULL,
    value jsonb,
    statement text NOT NULL,
    citations jsonb NOT NULL,
    verdict text NOT NULL,
    score double precision NOT NULL,
    decided_by text NOT NULL,
    expected jsonb,
    found jsonb,
    supporting jsonb NOT NULL DEFAULT '[]',
    opposing jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_claims_verdict
        CHECK (verdict IN ('supported', 'contradicted', 'unsupported', 'ambiguous', 'not_checkable'))
);
CREATE INDEX ix_claims_lead_id ON claims (lead_id, job_id);

CREATE TABLE actions (
    action_key uuid CONSTRAINT pk_actions PRIMARY KEY,
    record_key uuid NOT NULL,
    object_type text NOT NULL,
    tool text NOT NULL,
    run_version integer NOT NULL,
    caller text NOT NULL,
    args jsonb NOT NULL,
    args_hmac bytea NOT NULL,
    state text NOT NULL DEFAULT 'planned',
    lease_token bigint,
    tries integer NOT NULL DEFAULT 0,
    planned_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    absent_at timestamptz,
    looked_at timestamptz,
    settled_at timestamptz,
    crm_id text,
    result jsonb,
    error text,
    job_id uuid,
    lead_id uuid NOT NULL,
    CONSTRAINT ck_actions_state
        CHECK (state IN ('planned', 'sent', 'unknown', 'confirmed', 'failed', 'denied', 'superseded'))
);
CREATE INDEX ix_actions_lead_id ON actions (lead_id, planned_at);
CREATE INDEX ix_actions_record_key ON actions (record_key, run_version);
CREATE INDEX ix_actions_open ON actions (looked_at NULLS FIRST, sent_at) WHERE state IN ('sent', 'unknown');
CREATE INDEX ix_actions_job_id ON actions (job_id);

CREATE TABLE api_keys (
    id uuid CONSTRAINT pk_api_keys PRIMARY KEY DEFAULT uuidv7(),
    key_sha256 bytea NOT NULL CONSTRAINT uq_api_keys_key_sha256 UNIQUE,
    prefix text NOT NULL,
    role text NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    CONSTRAINT ck_api_keys_role CHECK (role IN ('ingest', 'reader', 'operator', 'auditor', 'agent', 'admin'))
);

-- Switches that every process obeys at once, such as `paused`.
CREATE TABLE controls (
    name text CONSTRAINT pk_controls PRIMARY KEY,
    value jsonb NOT NULL,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now()
);

-- The CRM of CRM_PROVIDER=mock.
CREATE TABLE mock_crm_records (
    object_type text NOT NULL,
    record_key uuid NOT NULL,
    crm_id text NOT NULL,
    fields jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_mock_crm_records PRIMARY KEY (object_type, record_key)
);
