-- One transaction may carry many jobs, and a job's life may span several transactions. A transaction is a nonce of the
-- account and what it is for; the bytes that were signed under it are its attempts.
DROP VIEW job_records;
ALTER TABLE transactions RENAME TO attempts;
ALTER INDEX transactions_pkey RENAME TO attempts_pkey;

CREATE TABLE transactions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  nonce bigint NOT NULL,
  purpose text NOT NULL,
  -- the kind of settlement that made it; none for another purpose
  kind text,
  -- another transaction of the same account took the nonce: no attempt can be mined any more
  dropped_at timestamptz,
  -- not before this time is the transaction leased again
  run_after timestamptz NOT NULL DEFAULT now(),
  leased_by text,
  leased_until timestamptz,
  claims integer NOT NULL DEFAULT 0,
  -- only for the time of this migration
  request_id text
);

-- Attempts of one nonce for one job, or for one other purpose, are one transaction. It is given up where all of them are:
-- a filler that was given up and signed again is the same one.
INSERT INTO transactions (nonce, purpose, kind, request_id, dropped_at)
SELECT nonce, purpose, CASE WHEN request_id IS NULL THEN NULL ELSE 'zkml' END, request_id,
  CASE WHEN bool_and(dropped_at IS NOT NULL) THEN max(dropped_at) END
FROM attempts
GROUP BY nonce, purpose, request_id
ORDER BY nonce, min(signed_at);

ALTER TABLE attempts ADD COLUMN transaction_id bigint REFERENCES transactions (id);
UPDATE attempts a SET transaction_id = t.id
FROM transactions t
WHERE t.nonce = a.nonce AND t.purpose = a.purpose AND t.request_id IS NOT DISTINCT FROM a.request_id;
ALTER TABLE attempts ALTER COLUMN transaction_id SET NOT NULL;

-- The current attempt: the one that was it; of several that were given up, the youngest.
WITH ranked AS (
  SELECT hash, row_number() OVER (
    PARTITION BY transaction_id
    ORDER BY (dropped_at IS NULL AND replaced_at IS NULL) DESC, (block_number IS NOT NULL) DESC,
      (replaced_at IS NULL) DESC, signed_at DESC, hash
  ) AS place
  FROM attempts
)
UPDATE attempts a
SET replaced_at = CASE WHEN r.place = 1 THEN NULL ELSE coalesce(a.replaced_at, a.dropped_at, now()) END
FROM ranked r
WHERE r.hash = a.hash;

-- What a transaction carries. Never changed: its bytes cannot be either.
CREATE TABLE transaction_jobs (
  transaction_id bigint NOT NULL REFERENCES transactions (id),
  request_id text NOT NULL REFERENCES jobs (request_id),
  PRIMARY KEY (transaction_id, request_id)
);
CREATE INDEX transaction_jobs_request ON transaction_jobs (request_id);
INSERT INTO transaction_jobs (transaction_id, request_id)
SELECT t.id, j.request_id FROM transactions t JOIN jobs j ON j.request_id = t.request_id
UNION
SELECT a.transaction_id, j.request_id FROM jobs j JOIN attempts a ON a.hash = j.transaction_hash;

ALTER TABLE jobs
  -- the transaction that the job waits for, or was settled or failed by
  ADD COLUMN transaction_id bigint REFERENCES transactions (id),
  -- settled by a transaction of its own: one with other jobs would revert because of it, or did
  ADD COLUMN settle_alone boolean NOT NULL DEFAULT false;
UPDATE jobs SET transaction_id = a.transaction_id FROM attempts a WHERE a.hash = jobs.transaction_hash;

-- Whoever works on a job that has a transaction works on the transaction.
UPDATE transactions t
SET run_after = j.run_after, leased_by = j.leased_by, leased_until = j.leased_until, claims = j.claims
FROM jobs j
WHERE j.transaction_id = t.id AND j.state IN ('proven', 'submitted');
UPDATE jobs SET leased_by = NULL, leased_until = NULL, claims = 0, claims_alone = 0
WHERE transaction_id IS NOT NULL;

ALTER TABLE jobs DROP COLUMN transaction_hash;
ALTER TABLE jobs ADD CHECK (state <> 'submitted' OR transaction_id IS NOT NULL);
ALTER TABLE attempts DROP COLUMN nonce, DROP COLUMN purpose, DROP COLUMN request_id, DROP COLUMN dropped_at;
ALTER TABLE transactions DROP COLUMN request_id;

CREATE UNIQUE INDEX transactions_live_nonce ON transactions (nonce) WHERE dropped_at IS NULL;
CREATE INDEX transactions_nonce ON transactions (nonce);
CREATE UNIQUE INDEX attempts_current ON attempts (transaction_id) WHERE replaced_at IS NULL;
CREATE INDEX attempts_transaction ON attempts (transaction_id);
CREATE INDEX attempts_unmined ON attempts (transaction_id) WHERE replaced_at IS NULL AND block_number IS NULL;
CREATE INDEX jobs_transaction ON jobs (transaction_id);

-- A job with the current attempt of its transaction, numbers beyond 2^53 as text: what every driver reads alike.
-- Ages by the clock that wrote the times: a process may have another.
CREATE VIEW job_records AS
SELECT
  j.request_id, j.nonce::text, j.state, j.model, j.version, j.version_id, j.requester, j.price::text,
  j.answered_at::text, j.input_words, j.output_words, j.signature, j.proof, j.witness_ms, j.prove_ms,
  j.failure_code, j.failure_message, j.attempts, j.last_error, j.accepted_at, j.proven_at, j.submitted_at,
  j.settled_at, j.failed_at, j.finalised_at, j.claims, j.claims_alone, j.transaction_id::text, a.hash AS transaction_hash,
  t.nonce::text AS transaction_nonce, a.raw, a.broadcast_at, a.block_number::text, a.block_hash, a.gas_used::text,
  a.signed_at,
  (extract(epoch FROM now() - a.signed_at) * 1000)::double precision AS age_ms,
  (extract(epoch FROM now() - a.broadcast_at) * 1000)::double precision AS silent_ms
FROM jobs j
LEFT JOIN transactions t ON t.id = j.transaction_id
LEFT JOIN attempts a ON a.transaction_id = t.id AND a.replaced_at IS NULL;
