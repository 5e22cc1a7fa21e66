SELECT (SELECT max(nonce) + 1 FROM transactions WHERE dropped_at IS NULL)::text AS next
FROM identity
FOR UPDATE
