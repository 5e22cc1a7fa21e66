import type { Database } from "../storage/database.ts";

const COUNT = `SELECT
  count(*)::integer AS open,
  coalesce(extract(epoch FROM now() - min(signed_at)), 0)::double precision AS oldest
FROM transactions
WHERE dropped_at IS NULL AND replaced_at IS NULL AND block_number IS NULL`;

/** How many transactions are not known to be mined, and the age of the oldest attempt in seconds. */
export async function countOpen(parameters: {
  database: Database;
}): Promise<{ open: number; oldestSeconds: number }> {
  const [row] = await parameters.database.query(COUNT);
  return { open: Number(row?.open), oldestSeconds: Number(row?.oldest) };
}
