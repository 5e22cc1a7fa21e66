-- Results of models that are proposed as claims and proved on demand. Their words are kept as every job's are, so that a proof
-- can be made for as long as one can be demanded.
DROP VIEW job_records;
ALTER TABLE jobs
  -- goes into an optimistic page; a proof of it answers a demand and settles nothing by itself
  ADD COLUMN is_optimistic boolean NOT NULL DEFAULT false,
  DROP CONSTRAINT jobs_evidence;
ALTER TABLE jobs
  ADD CONSTRAINT jobs_evidence
    CHECK (state IN ('accepted', 'failed') OR proof IS NOT NULL OR tee_id IS NOT NULL OR is_optimistic),
  ADD CONSTRAINT jobs_optimistic CHECK (NOT is_optimistic OR tee_id IS NULL AND proof IS NULL);

-- Not before this time are the page's demands read from the chain again.
ALTER TABLE pages ADD COLUMN demands_after timestamptz NOT NULL DEFAULT now();

-- Proofs that are demanded of the results of a page.
CREATE TABLE demands (
  request_id text PRIMARY KEY REFERENCES jobs (request_id),
  page_id text NOT NULL REFERENCES pages (page_id) ON DELETE CASCADE,
  -- as the chain showed it last: it waits for a proof
  is_open boolean NOT NULL DEFAULT true,
  -- last second in which the proof is taken; unix seconds
  deadline numeric(78) NOT NULL,
  proof text,
  -- not before this time does another process send the answer
  send_after timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX demands_open ON demands (deadline) WHERE is_open;
CREATE INDEX demands_page ON demands (page_id);

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
  j.tee_id, j.input_hash, j.output_hash, j.page_id, j.is_optimistic
FROM jobs j
LEFT JOIN transactions t ON t.id = j.transaction_id
LEFT JOIN attempts a ON a.transaction_id = t.id AND a.replaced_at IS NULL;
