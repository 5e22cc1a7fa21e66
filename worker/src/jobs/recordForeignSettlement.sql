WITH settled AS (
  UPDATE jobs
  SET state = 'settled',
      settled_at = now(),
      seen_at_block = $2,
      transaction_hash = NULL,
      last_error = NULL,
      leased_by = NULL,
      leased_until = NULL,
      claims = 0,
      claims_alone = 0,
      run_after = now()
  WHERE request_id = $1 AND state IN ('proven', 'submitted')
  RETURNING request_id
), dropped AS (
  -- The nonces of the job's own attempts are used up: none of them may be taken for one that is still to be mined.
  UPDATE transactions
  SET dropped_at = now()
  WHERE request_id IN (SELECT request_id FROM settled) AND dropped_at IS NULL AND block_number IS NULL
)
SELECT request_id FROM settled
