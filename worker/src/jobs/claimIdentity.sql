INSERT INTO identity (chain_id, genesis_hash, settlement, node)
VALUES ($1, $2, $3, $4)
ON CONFLICT (singleton) DO NOTHING
