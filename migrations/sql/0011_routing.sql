-- People (and queues) that can own leads, over those of routing.toml: `data` as the program's Rep without the id. Who was
-- removed stays, so that routing.toml does not bring them back.
CREATE TABLE reps (
    id text CONSTRAINT pk_reps PRIMARY KEY,
    data jsonb NOT NULL,
    removed_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_reps_id CHECK (id ~ '^[a-z0-9][a-z0-9_-]*$')
);

-- Who takes turns in a pool, and how each stands. The row is locked while a turn is taken.
CREATE TABLE rotations (
    pool text CONSTRAINT pk_rotations PRIMARY KEY,
    state jsonb NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- A lead's turn in a pool, written with the rotation: a lead that is routed again has had its turn.
CREATE TABLE turns (
    pool text NOT NULL,
    lead_id uuid NOT NULL,
    rep_id text NOT NULL,
    number bigint NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_turns PRIMARY KEY (pool, lead_id)
);
CREATE INDEX ix_turns_lead_id ON turns (lead_id);

-- Whose a company's earlier leads are, and how many open leads a rep has.
CREATE INDEX ix_leads_domain ON leads (domain, received_at DESC) WHERE domain IS NOT NULL;
CREATE INDEX ix_leads_owner_id ON leads (owner_id) WHERE owner_id IS NOT NULL AND first_touch_at IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON reps, rotations, turns TO revenueflow_app;
