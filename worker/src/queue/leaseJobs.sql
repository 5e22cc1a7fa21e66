WITH leased AS (
  UPDATE jobs
  SET leased_by = $3, leased_until = now() + make_interval(secs => $4)
  WHERE request_id IN (
    SELECT request_id
    FROM jobs
    WHERE state = $1
      AND (transaction_hash IS NOT NULL) = $2
      AND finalised_at IS NULL
      AND run_after <= now()
      AND (leased_until IS NULL OR leased_until < now() OR leased_by = $3)
      AND ($6::text[] IS NULL OR version_id = ANY ($6::text[]))
    ORDER BY nonce
    LIMIT $5
    FOR UPDATE SKIP LOCKED
  )
  RETURNING request_id
)
SELECT job_records.*
FROM job_records
WHERE request_id IN (SELECT request_id FROM leased)
ORDER BY nonce::numeric
