-- What a person must look at: analyses that were rejected, or that hold claims which the evidence leaves open.

-- One item for each lead and version of it. `questioned` are the claims (C1…Cn of the job) that wait for a decision;
-- `decisions` are those made, each with the fingerprint of its claim and evidence: it holds for later runs too.
-- `reason` is what a person wrote: it stays here, and reaches neither the trail nor a log.
CREATE TABLE reviews (
    id uuid CONSTRAINT pk_reviews PRIMARY KEY,
    lead_id uuid NOT NULL,
    job_id uuid NOT NULL,
    run_version integer NOT NULL,
    kind text NOT NULL,
    questioned jsonb NOT NULL,
    state text NOT NULL DEFAULT 'open',
    decision text,
    reason text,
    decisions jsonb NOT NULL DEFAULT '[]',
    decided_by text,
    created_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz,
    CONSTRAINT uq_reviews_lead_id_run_version UNIQUE (lead_id, run_version),
    CONSTRAINT ck_reviews_kind CHECK (kind IN ('rejected', 'ambiguous')),
    CONSTRAINT ck_reviews_state CHECK (state IN ('open', 'decided', 'superseded')),
    CONSTRAINT ck_reviews_decision CHECK (decision IN ('accept', 'reject', 'edit')),
    CONSTRAINT ck_reviews_decided CHECK (
        (state = 'decided') = (decision IS NOT NULL AND reason IS NOT NULL AND decided_by IS NOT NULL)),
    CONSTRAINT ck_reviews_closed CHECK ((state = 'open') = (closed_at IS NULL))
);
CREATE INDEX ix_reviews_open ON reviews (created_at, id) WHERE state = 'open';
CREATE INDEX ix_reviews_created_at ON reviews (created_at, id);

-- Where the quotes of a claim stand in the evidence, and what a rep reads about a lead.
ALTER TABLE claims ADD COLUMN spans jsonb NOT NULL DEFAULT '[]';
ALTER TABLE leads ADD COLUMN summary text;

GRANT SELECT, INSERT, UPDATE, DELETE ON reviews TO revenueflow_app;
