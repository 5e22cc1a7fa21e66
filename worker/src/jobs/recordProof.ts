import type { Database } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";

const RECORD = readSql(import.meta.url, "recordProof.sql");

/** accepted -> proven. Returns whether this call made the transition. */
export async function recordProof(parameters: {
  database: Database;
  requestId: string;
  /** 256 bytes of hex; verified */
  proof: string;
  timings: { witnessMs: number; proveMs: number };
}): Promise<boolean> {
  const { database, requestId, proof, timings } = parameters;
  const rows = await database.query(RECORD, [requestId, proof, timings.witnessMs, timings.proveMs]);
  return rows.length === 1;
}
