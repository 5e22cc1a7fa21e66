import type { Database } from "../storage/database.ts";

const FIND = `SELECT 1 FROM jobs
WHERE state = 'accepted'
  AND claims >= $1
  AND run_after <= now()
  AND (leased_until IS NULL OR leased_until < now())
  AND version_id = ANY ($2::text[])
LIMIT 1`;

/** Whether a job is due that so many processes died over, or beside. */
export async function hasSuspects(parameters: {
  database: Database;
  claims: number;
  versionIds: readonly string[];
}): Promise<boolean> {
  const { database, claims, versionIds } = parameters;
  return (await database.query(FIND, [claims, versionIds])).length > 0;
}
