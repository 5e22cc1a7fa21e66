import type { Database } from "../storage/database.ts";

const DEMOTE = `UPDATE transactions SET replaced_at = now()
WHERE nonce = (SELECT nonce FROM transactions WHERE hash = $1)
  AND hash <> $1 AND replaced_at IS NULL AND dropped_at IS NULL`;
const PROMOTE = "UPDATE transactions SET replaced_at = NULL WHERE hash = $1 AND dropped_at IS NULL";
const TIE = `UPDATE jobs SET transaction_hash = $1
WHERE request_id = (SELECT request_id FROM transactions WHERE hash = $1) AND state = 'submitted'`;

/** Makes an attempt the current one of its nonce and its job: it was mined, although it had been replaced. */
export async function promoteAttempt(parameters: {
  database: Database;
  hash: string;
}): Promise<void> {
  const { database, hash } = parameters;
  await database.transaction(async (tx) => {
    for (const statement of [DEMOTE, PROMOTE, TIE]) await tx.query(statement, [hash]);
  });
}
