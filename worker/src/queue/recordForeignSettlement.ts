import type { Database } from "../database/database.ts";
import { readSql } from "../database/readSql.ts";

const RECORD = readSql(import.meta.url, "recordForeignSettlement.sql");

/**
 * proven or submitted -> settled, for a request that the chain shows as settled by a transaction that is not
 * in this queue: anybody who holds the receipt and a proof may settle it. Nothing is left to watch.
 * Returns whether this call made the transition.
 */
export async function recordForeignSettlement(parameters: {
  database: Database;
  requestId: string;
}): Promise<boolean> {
  return (await parameters.database.query(RECORD, [parameters.requestId])).length === 1;
}
