import type { Database } from "../storage/database.ts";

const LIST = `SELECT
  t.hash, t.nonce::text, t.raw, t.purpose, t.request_id,
  extract(epoch FROM now() - t.signed_at)::integer AS age,
  extract(epoch FROM now() - t.broadcast_at)::integer AS silent,
  (
    SELECT count(*)::integer FROM transactions earlier
    WHERE earlier.nonce = t.nonce AND earlier.replaced_at IS NOT NULL AND earlier.dropped_at IS NULL
  ) AS replacements
FROM transactions t
WHERE t.dropped_at IS NULL AND t.replaced_at IS NULL AND t.block_number IS NULL
ORDER BY t.nonce
LIMIT $1`;
/** Enough to see what is stuck: everything behind the first waits for it. */
const LIMIT = 20;

export type OpenAttempt = {
  hash: string;
  nonce: number;
  raw: string;
  purpose: string;
  requestId: string | null;
  ageSeconds: number;
  silentSeconds: number | null;
  replacements: number;
};

/** The first transactions, of any purpose, that are not known to be mined, in order of their nonces. */
export async function listOpenAttempts(parameters: { database: Database }): Promise<OpenAttempt[]> {
  const rows = await parameters.database.query(LIST, [LIMIT]);
  return rows.map((row) => ({
    hash: row.hash as string,
    nonce: Number(row.nonce),
    raw: row.raw as string,
    purpose: row.purpose as string,
    requestId: row.request_id as string | null,
    ageSeconds: Number(row.age),
    silentSeconds: row.silent === null ? null : Number(row.silent),
    replacements: Number(row.replacements),
  }));
}
