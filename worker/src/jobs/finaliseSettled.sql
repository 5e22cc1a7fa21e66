UPDATE jobs
SET finalised_at = now()
FROM transactions t
WHERE t.hash = jobs.transaction_hash
  AND jobs.state = 'settled'
  AND jobs.finalised_at IS NULL
  AND t.block_number <= $1
RETURNING jobs.request_id
