-- How often a process took a job on and neither finished it nor gave it back, because it died; all in all, and with no
-- other job in its hands.
ALTER TABLE jobs
  ADD COLUMN claims integer NOT NULL DEFAULT 0,
  ADD COLUMN claims_alone integer NOT NULL DEFAULT 0;

-- Ages by the clock that wrote the times: a process may have another.
CREATE OR REPLACE VIEW job_records AS
SELECT
  j.request_id, j.nonce::text, j.state, j.model, j.version, j.version_id, j.requester, j.price::text,
  j.answered_at::text, j.input_words, j.output_words, j.signature, j.proof, j.witness_ms, j.prove_ms,
  j.failure_code, j.failure_message, j.attempts, j.last_error, j.accepted_at, j.proven_at, j.submitted_at,
  j.settled_at, j.failed_at, j.finalised_at, j.transaction_hash, t.nonce::text AS transaction_nonce, t.raw,
  t.broadcast_at, t.block_number::text, t.block_hash, t.gas_used::text, t.signed_at, j.claims, j.claims_alone,
  (extract(epoch FROM now() - t.signed_at) * 1000)::double precision AS age_ms,
  (extract(epoch FROM now() - t.broadcast_at) * 1000)::double precision AS silent_ms
FROM jobs j
LEFT JOIN transactions t ON t.hash = j.transaction_hash;
