import type { Database } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";

const RENEW = readSql(import.meta.url, "renewLease.sql");

/** Prolongs a lease that `owner` still holds. */
export async function renewLease(parameters: {
  database: Database;
  owner: string;
  requestId: string;
  leaseSeconds: number;
}): Promise<void> {
  const { database, owner, requestId, leaseSeconds } = parameters;
  await database.query(RENEW, [requestId, owner, leaseSeconds]);
}
