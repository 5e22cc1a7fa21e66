WITH mined AS (
  UPDATE transactions
  SET block_number = $3, block_hash = $4, gas_used = $5
  WHERE hash = $2
)
UPDATE jobs
SET state = 'settled', settled_at = now(), last_error = NULL, leased_by = NULL, leased_until = NULL,
    claims = 0, claims_alone = 0, run_after = now()
WHERE request_id = $1 AND transaction_hash = $2 AND state = 'submitted'
RETURNING request_id
