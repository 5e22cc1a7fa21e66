import type { Database } from "../storage/database.ts";

const RECORD = `UPDATE transactions SET block_number = $2, block_hash = $3, gas_used = $4
WHERE hash = $1 AND block_number IS NULL
RETURNING hash`;

/** Notes the block of a transaction that settles no job. Returns whether this call was the first. */
export async function recordMined(parameters: {
  database: Database;
  receipt: { hash: string; blockNumber: number; blockHash: string; gasUsed: bigint };
}): Promise<boolean> {
  const { database, receipt } = parameters;
  const { hash, blockNumber, blockHash, gasUsed } = receipt;
  const rows = await database.query(RECORD, [hash, blockNumber, blockHash, gasUsed.toString()]);
  return rows.length === 1;
}
