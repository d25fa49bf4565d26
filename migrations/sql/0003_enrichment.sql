-- What providers have answered, and what was spent on it.

-- One row for each question that was ever asked: the cache, and the place where those that ask the same meet. The key is
-- an HMAC: an address of a person is not stored. `state`: idle (nothing is under way), asking (somebody is, until
-- lease_until), pending (the provider looks; ask again at ask_again_at). `findings` is the last answer, from answered_at on;
-- `reason` says why there was none the last time, and holds until ask_again_at. `paid_by` is the run that `cost_usd` is on.
CREATE TABLE lookups (
    provider text NOT NULL,
    lookup text NOT NULL,
    key_hmac bytea NOT NULL,
    state text NOT NULL DEFAULT 'idle',
    findings jsonb,
    answered_at timestamptz,
    cost_usd numeric(12, 6) NOT NULL DEFAULT 0,
    paid_by uuid,
    ask_again_at timestamptz,
    reason text,
    handle text,
    token bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    reserved_usd numeric(12, 6) NOT NULL DEFAULT 0,
    reserved_in jsonb NOT NULL DEFAULT '[]',
    CONSTRAINT pk_lookups PRIMARY KEY (provider, lookup, key_hmac),
    CONSTRAINT ck_lookups_state CHECK (state IN ('idle', 'asking', 'pending')),
    CONSTRAINT ck_lookups_lease CHECK ((state = 'asking') = (lease_until IS NOT NULL))
);
CREATE INDEX ix_lookups_answered_at ON lookups (answered_at);
CREATE INDEX ix_lookups_reserved ON lookups (state) WHERE reserved_usd > 0;
ALTER TABLE lookups SET (fillfactor = 70);

-- US dollars by scope (all, provider:NAME, campaign:ID) and period (a day in UTC, or `ever`). A cap holds against the sum
-- of both columns: reserved before a call, settled after it. A call of which nobody knows the end counts as made.
CREATE TABLE spend (
    scope text NOT NULL,
    period text NOT NULL,
    reserved_usd numeric(14, 6) NOT NULL DEFAULT 0,
    settled_usd numeric(14, 6) NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_spend PRIMARY KEY (scope, period),
    CONSTRAINT ck_spend_not_negative CHECK (reserved_usd >= 0 AND settled_usd >= 0)
);
ALTER TABLE spend SET (fillfactor = 40);

ALTER TABLE evidence ADD COLUMN lookup text;
ALTER TABLE evidence ADD COLUMN cost double precision NOT NULL DEFAULT 0;
ALTER TABLE leads ADD COLUMN time_zone text;
ALTER TABLE leads ADD COLUMN completeness integer;
ALTER TABLE leads ADD COLUMN cost double precision NOT NULL DEFAULT 0;
ALTER TABLE leads ADD COLUMN facts jsonb NOT NULL DEFAULT '{}';
ALTER TABLE leads ADD CONSTRAINT ck_leads_completeness CHECK (completeness BETWEEN 0 AND 100);

GRANT SELECT, INSERT, UPDATE, DELETE ON lookups, spend TO revenueflow_app;
