WITH unmined AS (
  UPDATE transactions
  SET block_number = NULL, block_hash = NULL, gas_used = NULL, broadcast_at = NULL
  WHERE hash = $2
)
UPDATE jobs
SET state = 'submitted', settled_at = NULL, last_error = $3, leased_by = NULL, leased_until = NULL,
    claims = 0, claims_alone = 0, run_after = now()
WHERE request_id = $1 AND transaction_hash = $2 AND state = 'settled' AND finalised_at IS NULL
RETURNING request_id
