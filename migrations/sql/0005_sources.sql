-- Sources that are pulled: how far each was read, and the campaigns that they know.

CREATE TABLE source_cursors (
    source text CONSTRAINT pk_source_cursors PRIMARY KEY,
    cursor jsonb NOT NULL DEFAULT '{}',
    -- The end of the last pull that got to the end.
    pulled_at timestamptz,
    -- The source asked us not to come back before.
    not_before timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE campaigns (
    id text CONSTRAINT pk_campaigns PRIMARY KEY,
    name text,
    source text NOT NULL,
    -- How many leads the source says it has.
    leads integer,
    pulled_at timestamptz
);

GRANT SELECT, INSERT, UPDATE, DELETE ON source_cursors, campaigns TO revenueflow_app;
