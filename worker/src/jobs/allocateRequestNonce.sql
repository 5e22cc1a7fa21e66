UPDATE identity
SET next_request_nonce = next_request_nonce + 1
RETURNING (next_request_nonce - 1)::text AS nonce
