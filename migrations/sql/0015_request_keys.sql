-- An Idempotency-Key of whoever made an offer or a scoring, as deliveries have one: the id that follows from caller and
-- key, and the hash of the body. The row is the record of the answer: the key is good for as long as the row is there.
ALTER TABLE offers ADD COLUMN request_key uuid CONSTRAINT uq_offers_request_key UNIQUE;
ALTER TABLE offers ADD COLUMN request_sha256 bytea;
ALTER TABLE scorings ADD COLUMN request_key uuid CONSTRAINT uq_scorings_request_key UNIQUE;
ALTER TABLE scorings ADD COLUMN request_sha256 bytea;
