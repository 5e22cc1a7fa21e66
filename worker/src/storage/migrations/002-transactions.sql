-- Several attempts can share a nonce: a replacement is the same call with higher fees. At most one attempt of a
-- nonce is the current one; an older one may still be the one that is mined.
ALTER TABLE transactions
  -- the job that the transaction settles; none for a transaction of another purpose
  ADD COLUMN request_id text,
  ADD COLUMN purpose text NOT NULL DEFAULT 'settlement',
  -- a later attempt was signed with the same nonce
  ADD COLUMN replaced_at timestamptz;
UPDATE transactions SET request_id = jobs.request_id FROM jobs WHERE jobs.transaction_hash = transactions.hash;

DROP INDEX transactions_live_nonce;
CREATE UNIQUE INDEX transactions_current_nonce ON transactions (nonce)
  WHERE dropped_at IS NULL AND replaced_at IS NULL;
CREATE INDEX transactions_nonce ON transactions (nonce);
CREATE INDEX transactions_request ON transactions (request_id);

-- Head of the chain when a settlement by a transaction of somebody else was first seen.
ALTER TABLE jobs ADD COLUMN seen_at_block bigint;

CREATE OR REPLACE VIEW job_records AS
SELECT
  j.request_id, j.nonce::text, j.state, j.model, j.version, j.version_id, j.requester, j.price::text,
  j.answered_at::text, j.input_words, j.output_words, j.signature, j.proof, j.witness_ms, j.prove_ms,
  j.failure_code, j.failure_message, j.attempts, j.last_error, j.accepted_at, j.proven_at, j.submitted_at,
  j.settled_at, j.failed_at, j.finalised_at, j.transaction_hash, t.nonce::text AS transaction_nonce, t.raw,
  t.broadcast_at, t.block_number::text, t.block_hash, t.gas_used::text, t.signed_at
FROM jobs j
LEFT JOIN transactions t ON t.hash = j.transaction_hash;
