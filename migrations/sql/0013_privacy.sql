-- People who were erased, and what is done every so often.

-- One row for each key under which an erased person is known: an identity key (an HMAC), or `lookup:` and the HMAC of a
-- question to a provider. Until an operator opens it again nothing is done about deliveries of this person; what was
-- received before `erased_at` is dropped for good, wherever it was then. `reason` is what the operator wrote, redacted.
CREATE TABLE erasures (
    key text CONSTRAINT pk_erasures PRIMARY KEY,
    erased_at timestamptz NOT NULL DEFAULT now(),
    reopened_at timestamptz,
    reason text NOT NULL,
    erased_by text NOT NULL
);

-- Work that one of many processes does once in a while: who begins it holds the row, and notes when.
CREATE TABLE routines (
    name text CONSTRAINT pk_routines PRIMARY KEY,
    begun_at timestamptz NOT NULL
);

-- A person is one identity, but its address may stand in leads of other identities too.
CREATE INDEX ix_leads_email ON leads (email) WHERE email IS NOT NULL;
CREATE INDEX ix_deliveries_identity_key ON deliveries (identity_key) WHERE identity_key IS NOT NULL;
-- What retention looks for.
CREATE INDEX ix_deliveries_raw ON deliveries (received_at) WHERE raw <> '';
CREATE INDEX ix_jobs_finished_at ON jobs (finished_at) WHERE state IN ('done', 'dead');

GRANT SELECT, INSERT, UPDATE, DELETE ON erasures, routines TO revenueflow_app;
