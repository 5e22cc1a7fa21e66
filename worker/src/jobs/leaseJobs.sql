WITH due AS (
  SELECT request_id, leased_by IS NOT DISTINCT FROM $3::text AS is_own
  FROM jobs
  WHERE state = $1
    AND (transaction_hash IS NOT NULL) = $2
    AND finalised_at IS NULL
    AND run_after <= now()
    AND (leased_until IS NULL OR leased_until < now() OR leased_by = $3)
    AND ($6::text[] IS NULL OR version_id = ANY ($6::text[]))
    AND claims BETWEEN $7 AND $8
  ORDER BY CASE WHEN $9::boolean THEN claims_alone ELSE 0 END, nonce
  LIMIT $5
  FOR UPDATE SKIP LOCKED
), leased AS (
  UPDATE jobs
  SET leased_by = $3,
      leased_until = now() + make_interval(secs => $4),
      claims = claims + CASE WHEN is_own THEN 0 ELSE 1 END,
      claims_alone = claims_alone + CASE WHEN is_own OR NOT $9::boolean THEN 0 ELSE 1 END,
      -- The rest that it has if this claim ends like the one before.
      run_after = CASE
        WHEN is_own OR claims = 0 THEN run_after
        ELSE now() + make_interval(secs => 5 * 2 ^ least(claims, 9))
      END
  FROM due
  WHERE jobs.request_id = due.request_id
  RETURNING jobs.request_id
)
SELECT job_records.*
FROM job_records
WHERE request_id IN (SELECT request_id FROM leased)
ORDER BY nonce::numeric
