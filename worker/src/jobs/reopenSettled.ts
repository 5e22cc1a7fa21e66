import type { Database } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";

const REOPEN = readSql(import.meta.url, "reopenSettled.sql");

/**
 * settled -> submitted, for a transaction that a reorganisation took out of the chain. The same signed
 * transaction is sent again at once. Returns whether this call made the transition.
 */
export async function reopenSettled(parameters: {
  database: Database;
  requestId: string;
  transactionHash: string;
}): Promise<boolean> {
  const { database, requestId, transactionHash } = parameters;
  const rows = await database.query(REOPEN, [
    requestId,
    transactionHash,
    "a reorganisation removed the transaction",
  ]);
  return rows.length === 1;
}
