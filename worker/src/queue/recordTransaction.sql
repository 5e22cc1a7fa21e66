WITH job AS (
  UPDATE jobs
  SET transaction_hash = $2
  WHERE request_id = $1 AND state = 'proven' AND transaction_hash IS NULL
  RETURNING request_id
)
INSERT INTO transactions (hash, nonce, raw)
SELECT $2, $3, $4 FROM job
RETURNING hash
