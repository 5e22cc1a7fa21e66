-- Whose queue this is: one row. The row is also the lock under which nonces are allocated.
CREATE TABLE identity (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  chain_id numeric(78) NOT NULL,
  genesis_hash text NOT NULL,
  settlement text NOT NULL,
  node text NOT NULL,
  next_request_nonce numeric(29) NOT NULL DEFAULT 0
);

-- Every transaction that was ever signed, recorded before it was sent.
CREATE TABLE transactions (
  hash text PRIMARY KEY,
  nonce bigint NOT NULL,
  raw text NOT NULL,
  signed_at timestamptz NOT NULL DEFAULT now(),
  broadcast_at timestamptz,
  block_number bigint,
  block_hash text,
  gas_used bigint,
  -- another transaction of the same account took the nonce: this one can never be mined
  dropped_at timestamptz
);
CREATE UNIQUE INDEX transactions_live_nonce ON transactions (nonce) WHERE dropped_at IS NULL;

CREATE TABLE jobs (
  request_id text PRIMARY KEY,
  nonce numeric(29) NOT NULL UNIQUE,
  state text NOT NULL DEFAULT 'accepted'
    CHECK (state IN ('accepted', 'proven', 'submitted', 'settled', 'failed')),
  model text NOT NULL,
  version text NOT NULL,
  version_id text NOT NULL,
  requester text NOT NULL,
  price numeric(78) NOT NULL,
  answered_at bigint NOT NULL,
  input_words text[] NOT NULL,
  output_words text[] NOT NULL,
  signature text NOT NULL,
  proof text,
  witness_ms double precision,
  prove_ms double precision,
  transaction_hash text REFERENCES transactions (hash),
  failure_code text,
  failure_message text,
  attempts integer NOT NULL DEFAULT 0,
  last_error text,
  -- not before this time is the job leased again
  run_after timestamptz NOT NULL DEFAULT now(),
  leased_by text,
  leased_until timestamptz,
  accepted_at timestamptz NOT NULL DEFAULT now(),
  proven_at timestamptz,
  submitted_at timestamptz,
  settled_at timestamptz,
  failed_at timestamptz,
  -- the settlement is deeper than any reorganisation that is watched for
  finalised_at timestamptz,
  CHECK (state NOT IN ('proven', 'submitted', 'settled') OR proof IS NOT NULL),
  CHECK (state <> 'submitted' OR transaction_hash IS NOT NULL),
  CHECK (state <> 'failed' OR failure_code IS NOT NULL)
);
CREATE INDEX jobs_unfinished ON jobs (state, nonce)
  WHERE state <> 'failed' AND finalised_at IS NULL;
CREATE INDEX jobs_transaction ON jobs (transaction_hash);

-- A job with its transaction, numbers beyond 2^53 as text: what every driver reads alike.
CREATE VIEW job_records AS
SELECT
  j.request_id, j.nonce::text, j.state, j.model, j.version, j.version_id, j.requester, j.price::text,
  j.answered_at::text, j.input_words, j.output_words, j.signature, j.proof, j.witness_ms, j.prove_ms,
  j.failure_code, j.failure_message, j.attempts, j.last_error, j.accepted_at, j.proven_at, j.submitted_at,
  j.settled_at, j.failed_at, j.finalised_at, j.transaction_hash, t.nonce::text AS transaction_nonce, t.raw,
  t.broadcast_at, t.block_number::text, t.block_hash, t.gas_used::text
FROM jobs j
LEFT JOIN transactions t ON t.hash = j.transaction_hash;
