import type { Database } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";

const DROP = readSql(import.meta.url, "dropTransaction.sql");

/**
 * Gives up every attempt under the nonce of a transaction, because another transaction of the account has taken it;
 * a job that it was for goes back to proven, without a transaction. Returns whether a job did.
 */
export async function dropTransaction(parameters: {
  database: Database;
  transactionHash: string;
}): Promise<boolean> {
  const { database, transactionHash } = parameters;
  const rows = await database.query(DROP, [
    transactionHash,
    "another transaction of the account took the nonce",
  ]);
  return rows.length === 1;
}
