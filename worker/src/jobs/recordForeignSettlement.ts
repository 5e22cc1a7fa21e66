import type { Database } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";

const RECORD = readSql(import.meta.url, "recordForeignSettlement.sql");

/**
 * proven or submitted -> settled, for a request that the chain shows as settled by a transaction that is not
 * in this queue: anybody who holds the receipt and a proof may settle it. The job's own attempts are given up with it.
 * Returns whether this call made the transition.
 */
export async function recordForeignSettlement(parameters: {
  database: Database;
  requestId: string;
  /** block from which the settlement is watched until it is final */
  head: number;
}): Promise<boolean> {
  const { database, requestId, head } = parameters;
  return (await database.query(RECORD, [requestId, head])).length === 1;
}
