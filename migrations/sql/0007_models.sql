-- What models have answered, what it cost, and which leads are to be analysed again.

-- One row for each question that a model was asked: the cache, and the place where those that ask the same meet. The key
-- is an HMAC of all that enters the prompt, and of the model. `state`: idle, or asking (somebody is, until lease_until).
-- `answer` is the model's, in our form; without one `reason` says why, and holds until ask_again_at. `paid_by` is the run
-- that the tokens and the cost are on; what is reserved is so in the sums of `reserved_day`.
CREATE TABLE analyses (
    key_hmac bytea CONSTRAINT pk_analyses PRIMARY KEY,
    analyst text NOT NULL,
    model text NOT NULL,
    state text NOT NULL DEFAULT 'idle',
    answer jsonb,
    reason text,
    ask_again_at timestamptz,
    token bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    paid_by uuid,
    input_tokens integer NOT NULL DEFAULT 0,
    output_tokens integer NOT NULL DEFAULT 0,
    cost_usd numeric(12, 6) NOT NULL DEFAULT 0,
    reserved_usd numeric(12, 6) NOT NULL DEFAULT 0,
    reserved_tokens bigint NOT NULL DEFAULT 0,
    reserved_day text,
    expires_at timestamptz NOT NULL,
    CONSTRAINT ck_analyses_state CHECK (state IN ('idle', 'asking')),
    CONSTRAINT ck_analyses_lease CHECK ((state = 'asking') = (lease_until IS NOT NULL))
);
CREATE INDEX ix_analyses_expires_at ON analyses (expires_at);
CREATE INDEX ix_analyses_asking ON analyses (lease_until) WHERE state = 'asking';
ALTER TABLE analyses SET (fillfactor = 70);

-- Whose evidence was in the prompt: an erased lead takes the answers along.
CREATE TABLE analysis_uses (
    lead_id uuid NOT NULL,
    key_hmac bytea NOT NULL CONSTRAINT fk_analysis_uses_key_hmac_analyses REFERENCES analyses ON DELETE CASCADE,
    CONSTRAINT pk_analysis_uses PRIMARY KEY (lead_id, key_hmac)
);
CREATE INDEX ix_analysis_uses_key_hmac ON analysis_uses (key_hmac);

-- Scopes `models` and `model:NAME` count tokens too, with the caps against both sums.
ALTER TABLE spend ADD COLUMN reserved_tokens bigint NOT NULL DEFAULT 0;
ALTER TABLE spend ADD COLUMN settled_tokens bigint NOT NULL DEFAULT 0;
ALTER TABLE spend ADD CONSTRAINT ck_spend_tokens_not_negative CHECK (reserved_tokens >= 0 AND settled_tokens >= 0);

-- Set while the rules stand in for a model that failed: from then on it may be tried again.
ALTER TABLE leads ADD COLUMN reanalyse_at timestamptz;
ALTER TABLE leads ADD COLUMN reanalysed_at timestamptz;
ALTER TABLE leads ADD COLUMN reanalyses integer NOT NULL DEFAULT 0;
CREATE INDEX ix_leads_reanalyse_at ON leads (reanalyse_at) WHERE reanalyse_at IS NOT NULL;
CREATE INDEX ix_leads_reanalysed_at ON leads (reanalysed_at) WHERE reanalysed_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON analyses, analysis_uses TO revenueflow_app;
