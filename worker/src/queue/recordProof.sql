UPDATE jobs
SET state = 'proven',
    proof = $2,
    witness_ms = $3,
    prove_ms = $4,
    proven_at = now(),
    attempts = 0,
    last_error = NULL,
    leased_by = NULL,
    leased_until = NULL
WHERE request_id = $1 AND state = 'accepted'
RETURNING request_id
