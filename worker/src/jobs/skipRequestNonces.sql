UPDATE identity
SET next_request_nonce = greatest(next_request_nonce, $1::numeric)
RETURNING next_request_nonce::text AS next
