-- An agent that may not know whether a lead exists is told the same either way. Of a lead that does not, nobody is
-- asked: the row stands for the answer alone (its time, its place among the caller's open calls), without arguments.
ALTER TABLE approvals ADD COLUMN queued boolean NOT NULL DEFAULT true;
-- How often the person at an attended client may still be asked. Nobody is worn down until they say yes.
ALTER TABLE approvals ADD COLUMN client_asks_left smallint NOT NULL DEFAULT 3;

-- A routine that fails at each turn is begun again and again: what counts is when it last did all that it is for.
ALTER TABLE routines ADD COLUMN ended_at timestamptz;
-- Counted from here on; the next worker begins a round at once, if it has not before.
INSERT INTO routines (name, begun_at, ended_at) VALUES ('retention', to_timestamp(0), now())
ON CONFLICT (name) DO UPDATE SET ended_at = routines.begun_at;
