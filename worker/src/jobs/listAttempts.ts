import type { Database } from "../storage/database.ts";

const LIST = `SELECT hash, raw FROM transactions
WHERE nonce = $1 AND dropped_at IS NULL
ORDER BY replaced_at DESC NULLS FIRST`;

/** Every transaction that could be mined under a nonce of the account, the current one first. */
export async function listAttempts(parameters: {
  database: Database;
  nonce: number;
}): Promise<{ hash: string; raw: string }[]> {
  const rows = await parameters.database.query(LIST, [parameters.nonce]);
  return rows.map(({ hash, raw }) => ({ hash: hash as string, raw: raw as string }));
}
