import type { Database } from "../storage/database.ts";

/** Notes that a recorded transaction was sent, the first time or again. */
export async function recordSent(parameters: { database: Database; hash: string }): Promise<void> {
  const { database, hash } = parameters;
  await database.query("UPDATE transactions SET broadcast_at = now() WHERE hash = $1", [hash]);
}
