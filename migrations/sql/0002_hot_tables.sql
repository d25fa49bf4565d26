-- Tables that every step writes to.

-- A job is written at each of its steps. Room on the page keeps the new version there, without touching the indexes.
ALTER TABLE jobs SET (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
ALTER TABLE leads SET (fillfactor = 70);
ALTER TABLE actions SET (fillfactor = 60);

-- Rows of these tables are written in the transaction that holds the row which they belong to, or by audit_append()
-- itself: the look-up for each row proved nothing.
ALTER TABLE steps DROP CONSTRAINT fk_steps_job_id_jobs;
ALTER TABLE audit_pending DROP CONSTRAINT fk_audit_pending_event_id_audit_events;

-- What the relay looks through each second for jobs that nobody may claim any more.
CREATE INDEX ix_jobs_tried ON jobs (attempt) WHERE attempt >= 1 AND state IN ('ready', 'leased');
