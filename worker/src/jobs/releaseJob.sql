UPDATE jobs
SET leased_by = NULL,
    leased_until = NULL,
    claims = 0,
    claims_alone = 0,
    last_error = coalesce($3, last_error),
    run_after = now() + make_interval(secs => $4),
    attempts = attempts + $5
WHERE request_id = $1 AND leased_by = $2
