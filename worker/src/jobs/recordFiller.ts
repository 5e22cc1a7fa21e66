import type { Database } from "../storage/database.ts";

const LOCK = "SELECT 1 FROM identity FOR UPDATE";
const RECORD = `INSERT INTO transactions (hash, nonce, raw, purpose)
SELECT $1, $2, $3, 'gap'
WHERE NOT EXISTS (SELECT 1 FROM transactions WHERE nonce = $2 AND dropped_at IS NULL)
ON CONFLICT (hash) DO UPDATE SET dropped_at = NULL, broadcast_at = NULL
RETURNING hash`;

/** Records a transaction for a nonce that nothing else has. Returns false where something has it by now. */
export async function recordFiller(parameters: {
  database: Database;
  nonce: number;
  hash: string;
  raw: string;
}): Promise<boolean> {
  const { database, nonce, hash, raw } = parameters;
  return await database.transaction(async (tx) => {
    await tx.query(LOCK);
    return (await tx.query(RECORD, [hash, nonce, raw])).length === 1;
  });
}
