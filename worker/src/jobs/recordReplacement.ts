import type { Database } from "../storage/database.ts";

const REPLACE = `UPDATE transactions SET replaced_at = now()
WHERE hash = $1 AND replaced_at IS NULL AND dropped_at IS NULL AND block_number IS NULL
RETURNING nonce, request_id, purpose`;
const INSERT = `INSERT INTO transactions (hash, nonce, raw, request_id, purpose) VALUES ($1, $2, $3, $4, $5)`;
const TIE = `UPDATE jobs SET transaction_hash = $2
WHERE transaction_hash = $1 AND state IN ('proven', 'submitted')`;

/**
 * Records a replacement, signed with the nonce of the attempt that it replaces, before it is sent. Returns false, and
 * changes nothing, where that attempt is no longer the current one: somebody else replaced it, or it was mined.
 */
export async function recordReplacement(parameters: {
  database: Database;
  /** hash of the attempt that is replaced */
  replaced: string;
  replacement: { hash: string; raw: string };
}): Promise<boolean> {
  const { database, replaced, replacement } = parameters;
  return await database.transaction(async (tx) => {
    const [row] = await tx.query(REPLACE, [replaced]);
    if (row === undefined) return false;
    const { hash, raw } = replacement;
    await tx.query(INSERT, [hash, row.nonce, raw, row.request_id, row.purpose]);
    await tx.query(TIE, [replaced, hash]);
    return true;
  });
}
