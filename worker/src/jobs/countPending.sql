SELECT
  count(*) FILTER (WHERE state IN ('proven', 'submitted'))::integer AS pending,
  count(*) FILTER (WHERE state = 'settled')::integer AS settled
FROM jobs
WHERE state <> 'failed' AND finalised_at IS NULL
