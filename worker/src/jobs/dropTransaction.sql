WITH dropped AS (
  UPDATE transactions
  SET dropped_at = now()
  WHERE nonce = (SELECT nonce FROM transactions WHERE hash = $1) AND dropped_at IS NULL
  RETURNING hash
)
UPDATE jobs
SET state = 'proven', transaction_hash = NULL, submitted_at = NULL, last_error = $2
WHERE transaction_hash IN (SELECT hash FROM dropped)
  AND state IN ('proven', 'submitted')
RETURNING request_id
