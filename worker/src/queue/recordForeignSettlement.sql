UPDATE jobs
SET state = 'settled',
    settled_at = now(),
    seen_at_block = $2,
    transaction_hash = NULL,
    last_error = NULL,
    leased_by = NULL,
    leased_until = NULL
WHERE request_id = $1 AND state IN ('proven', 'submitted')
RETURNING request_id
