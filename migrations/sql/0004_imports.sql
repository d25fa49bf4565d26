-- CSV imports: how far each has come, and the rows that it could not take. Its leads are deliveries like all others.

CREATE TABLE imports (
    id uuid CONSTRAINT pk_imports PRIMARY KEY,
    state text NOT NULL DEFAULT 'running',
    rows integer NOT NULL DEFAULT 0,
    accepted integer NOT NULL DEFAULT 0,
    duplicates integer NOT NULL DEFAULT 0,
    quarantined integer NOT NULL DEFAULT 0,
    rejected integer NOT NULL DEFAULT 0,
    mapping jsonb NOT NULL DEFAULT '{}',
    columns jsonb,
    delimiter text,
    error text,
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT ck_imports_state CHECK (state IN ('running', 'done', 'failed')),
    CONSTRAINT ck_imports_rows CHECK (rows = accepted + duplicates + quarantined + rejected),
    CONSTRAINT ck_imports_finished CHECK ((finished_at IS NULL) = (state = 'running'))
);
CREATE INDEX ix_imports_created_at ON imports (created_at);

-- Rows as they were given, personal data included: they live 30 days, like raw deliveries and quarantine. Whoever cleans
-- up finds them by imports.created_at.
CREATE TABLE import_rejects (
    import_id uuid NOT NULL CONSTRAINT fk_import_rejects_import_id_imports REFERENCES imports (id) ON DELETE CASCADE,
    line integer NOT NULL,
    reason text NOT NULL,
    raw text NOT NULL,
    CONSTRAINT pk_import_rejects PRIMARY KEY (import_id, line)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON imports, import_rejects TO revenueflow_app;
