INSERT INTO jobs (
  request_id, nonce, model, version, version_id, requester, price, answered_at, input_words, output_words,
  signature
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
