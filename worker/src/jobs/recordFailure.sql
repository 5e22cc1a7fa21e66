UPDATE jobs
SET state = 'failed',
    failure_code = $3,
    failure_message = $4,
    failed_at = now(),
    leased_by = NULL,
    leased_until = NULL,
    claims = 0,
    claims_alone = 0
WHERE request_id = $1 AND state = $2
RETURNING request_id
