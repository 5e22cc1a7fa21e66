import type { Database } from "../storage/database.ts";

const LIST = `SELECT request_id, seen_at_block::text AS head FROM jobs
WHERE state = 'settled' AND transaction_hash IS NULL AND finalised_at IS NULL`;

/** Jobs that somebody else settled, and the head of the chain when that was first seen, until they are final. */
export async function listForeignSettled(parameters: {
  database: Database;
}): Promise<{ requestId: string; seenAtBlock: number }[]> {
  const rows = await parameters.database.query(LIST);
  return rows.map((row) => ({
    requestId: row.request_id as string,
    seenAtBlock: Number(row.head),
  }));
}
