WITH sent AS (
  UPDATE transactions SET broadcast_at = now() WHERE hash = $2
)
UPDATE jobs
SET state = 'submitted', submitted_at = now(), attempts = 0, last_error = NULL
WHERE request_id = $1 AND transaction_hash = $2 AND state = 'proven'
RETURNING request_id
