import type { Database } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";

const RECORD = readSql(import.meta.url, "recordSettlement.sql");

/** Where a transaction lies in the chain. */
export type MinedTransaction = {
  hash: string;
  blockNumber: number;
  blockHash: string;
  gasUsed: bigint;
};

/**
 * submitted -> settled. For a job that is settled already, only the place of its transaction is brought up
 * to date. Returns whether this call made the transition.
 */
export async function recordSettlement(parameters: {
  database: Database;
  requestId: string;
  mined: MinedTransaction;
}): Promise<boolean> {
  const { database, requestId, mined } = parameters;
  const rows = await database.query(RECORD, [
    requestId,
    mined.hash,
    mined.blockNumber,
    mined.blockHash,
    mined.gasUsed.toString(),
  ]);
  return rows.length === 1;
}
