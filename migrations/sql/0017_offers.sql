-- An offer that no lead is judged by any more. It stays: prompts that it went into name it.
ALTER TABLE offers ADD COLUMN withdrawn_at timestamptz;
