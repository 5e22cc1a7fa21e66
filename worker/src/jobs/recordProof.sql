UPDATE jobs
SET state = 'proven',
    proof = $2,
    witness_ms = $3,
    prove_ms = $4,
    proven_at = now(),
    attempts = 0,
    last_error = NULL,
    leased_by = NULL,
    leased_until = NULL,
    claims = 0,
    claims_alone = 0,
    run_after = now()
WHERE request_id = $1 AND state = 'accepted'
RETURNING request_id
