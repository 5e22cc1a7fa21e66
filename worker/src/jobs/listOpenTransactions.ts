import type { Database } from "../storage/database.ts";
import type { RecordedTransaction } from "./job.ts";

const LIST = `SELECT hash, nonce::text, raw, purpose,
  (extract(epoch FROM now() - signed_at) * 1000)::double precision AS age_ms,
  (extract(epoch FROM now() - broadcast_at) * 1000)::double precision AS silent_ms
FROM transactions
WHERE request_id IS NULL AND dropped_at IS NULL AND replaced_at IS NULL AND block_number IS NULL
ORDER BY transactions.nonce`;

/** Current transactions that settle no job and are not known to be mined, in order of their nonces. */
export async function listOpenTransactions(parameters: {
  database: Database;
}): Promise<{ purpose: string; transaction: RecordedTransaction }[]> {
  const rows = await parameters.database.query(LIST);
  return rows.map((row) => ({
    purpose: row.purpose as string,
    transaction: {
      hash: row.hash as string,
      nonce: Number(row.nonce),
      raw: row.raw as string,
      ageMs: Number(row.age_ms),
      silentMs: row.silent_ms === null ? null : Number(row.silent_ms),
      blockNumber: null,
      blockHash: null,
      gasUsed: null,
    },
  }));
}
