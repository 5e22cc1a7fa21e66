SELECT min(candidate)::text AS nonce
FROM (
  SELECT $1::bigint AS candidate
  UNION
  SELECT nonce + 1 FROM transactions WHERE nonce >= $1::bigint
) candidates
WHERE NOT EXISTS (SELECT 1 FROM transactions WHERE nonce = candidate)
