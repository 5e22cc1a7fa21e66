-- Results that enclaves have signed: their words are not known, only their hashes, the enclave's signature is their
-- evidence, and their requests are under the enclave's nonces and not under this node's.
DROP VIEW job_records;
ALTER TABLE jobs
  DROP CONSTRAINT jobs_nonce_key,
  DROP CONSTRAINT jobs_check,
  -- the enclave that answered; none for a result that a proof is made of
  ADD COLUMN tee_id text,
  ADD COLUMN input_hash text,
  ADD COLUMN output_hash text;
ALTER TABLE jobs
  ADD CONSTRAINT jobs_evidence
    CHECK (state NOT IN ('proven', 'submitted', 'settled') OR proof IS NOT NULL OR tee_id IS NOT NULL),
  ADD CONSTRAINT jobs_hashes
    CHECK ((tee_id IS NULL) = (input_hash IS NULL) AND (tee_id IS NULL) = (output_hash IS NULL)),
  ADD CONSTRAINT jobs_proof CHECK (tee_id IS NULL OR proof IS NULL);

CREATE VIEW job_records AS
SELECT
  j.request_id, j.nonce::text, j.state, j.model, j.version, j.version_id, j.requester, j.price::text,
  j.answered_at::text, j.input_words, j.output_words, j.signature, j.proof, j.witness_ms, j.prove_ms,
  j.failure_code, j.failure_message, j.attempts, j.last_error, j.accepted_at, j.proven_at, j.submitted_at,
  j.settled_at, j.failed_at, j.finalised_at, j.claims, j.claims_alone, j.transaction_id::text, a.hash AS transaction_hash,
  t.nonce::text AS transaction_nonce, a.raw, a.broadcast_at, a.block_number::text, a.block_hash, a.gas_used::text,
  a.signed_at,
  (extract(epoch FROM now() - a.signed_at) * 1000)::double precision AS age_ms,
  (extract(epoch FROM now() - a.broadcast_at) * 1000)::double precision AS silent_ms,
  j.tee_id, j.input_hash, j.output_hash
FROM jobs j
LEFT JOIN transactions t ON t.id = j.transaction_id
LEFT JOIN attempts a ON a.transaction_id = t.id AND a.replaced_at IS NULL;
