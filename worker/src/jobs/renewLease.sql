UPDATE jobs
SET leased_until = now() + make_interval(secs => $3)
WHERE request_id = $1 AND leased_by = $2
