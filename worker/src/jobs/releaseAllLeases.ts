import type { Database } from "../storage/database.ts";

/**
 * Ends every lease. Only for a database that one process has for itself: whoever held them is gone, and
 * waiting for their leases to run out would only delay the jobs.
 */
export async function releaseAllLeases(parameters: { database: Database }): Promise<void> {
  await parameters.database.query(
    "UPDATE jobs SET leased_by = NULL, leased_until = NULL WHERE leased_by IS NOT NULL",
  );
}
