-- Pages of results that were proposed. Their jobs are pending until the page is final, which time makes it, or rejected.
DROP VIEW job_records;
CREATE TABLE pages (
  page_id text PRIMARY KEY,
  -- what proposed it; the jobs that it carries are the page's results, whether the page took them or not
  transaction_id bigint NOT NULL REFERENCES transactions (id),
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'final', 'rejected', 'disproved', 'released')),
  -- the header, which the contract knows only by its hash
  kind smallint NOT NULL,
  tee_id text NOT NULL,
  ledger_page numeric(78) NOT NULL,
  bitmap numeric(78) NOT NULL,
  root text NOT NULL,
  blob_id text NOT NULL,
  proposer text NOT NULL,
  fee numeric(29) NOT NULL,
  -- last second in which it is pending, as far as is known; unix seconds
  ends_at numeric(78) NOT NULL,
  -- the proposal is deeper than any reorganisation that is watched for
  is_deep boolean NOT NULL DEFAULT false,
  proposed_at timestamptz NOT NULL DEFAULT now(),
  -- not before these times is the page looked at again, and its blob stored again
  look_after timestamptz NOT NULL DEFAULT now(),
  renew_after timestamptz NOT NULL
);
CREATE INDEX pages_open ON pages (look_after) WHERE state IN ('pending', 'final');
CREATE INDEX pages_transaction ON pages (transaction_id);

ALTER TABLE jobs
  -- the page that has the result, or had it until it was rejected
  ADD COLUMN page_id text REFERENCES pages (page_id),
  DROP CONSTRAINT jobs_state_check,
  DROP CONSTRAINT jobs_evidence;
ALTER TABLE jobs
  ADD CONSTRAINT jobs_state_check
    CHECK (state IN ('accepted', 'proven', 'submitted', 'pending', 'settled', 'failed')),
  ADD CONSTRAINT jobs_evidence
    CHECK (state IN ('accepted', 'failed') OR proof IS NOT NULL OR tee_id IS NOT NULL),
  ADD CONSTRAINT jobs_pending
    CHECK (state <> 'pending' OR page_id IS NOT NULL AND transaction_id IS NOT NULL);
CREATE INDEX jobs_page ON jobs (page_id) WHERE page_id IS NOT NULL;

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
  j.tee_id, j.input_hash, j.output_hash, j.page_id
FROM jobs j
LEFT JOIN transactions t ON t.id = j.transaction_id
LEFT JOIN attempts a ON a.transaction_id = t.id AND a.replaced_at IS NULL;
