import type { Database } from "../database/database.ts";
import { readSql } from "../database/readSql.ts";

const DROP = readSql(import.meta.url, "dropTransaction.sql");

/**
 * Back to proven without a transaction, for one that can never be mined: another transaction of the account
 * has taken its nonce. Returns whether this call made the transition.
 */
export async function dropTransaction(parameters: {
  database: Database;
  requestId: string;
  transactionHash: string;
}): Promise<boolean> {
  const { database, requestId, transactionHash } = parameters;
  const rows = await database.query(DROP, [
    requestId,
    transactionHash,
    "another transaction of the account took the nonce",
  ]);
  return rows.length === 1;
}
