WITH dropped AS (
  UPDATE transactions SET dropped_at = now() WHERE hash = $2
)
UPDATE jobs
SET state = 'proven', transaction_hash = NULL, submitted_at = NULL, last_error = $3
WHERE request_id = $1 AND transaction_hash = $2 AND state IN ('proven', 'submitted')
RETURNING request_id
