SELECT DISTINCT t.block_number::text AS number, t.block_hash AS hash
FROM jobs j
JOIN transactions t ON t.hash = j.transaction_hash
WHERE j.state = 'settled' AND j.finalised_at IS NULL
ORDER BY number
