UPDATE jobs
SET state = 'settled',
    settled_at = now(),
    finalised_at = now(),
    transaction_hash = NULL,
    last_error = NULL,
    leased_by = NULL,
    leased_until = NULL
WHERE request_id = $1 AND state IN ('proven', 'submitted')
RETURNING request_id
