import type { Database } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";

const RECORD = readSql(import.meta.url, "recordBroadcast.sql");

/**
 * Notes that a transaction was sent; proven -> submitted the first time.
 * Returns whether this call made the transition.
 */
export async function recordBroadcast(parameters: {
  database: Database;
  requestId: string;
  transactionHash: string;
}): Promise<boolean> {
  const { database, requestId, transactionHash } = parameters;
  return (await database.query(RECORD, [requestId, transactionHash])).length === 1;
}
