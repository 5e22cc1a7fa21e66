import type { Database } from "../database/database.ts";
import { readSql } from "../database/readSql.ts";
import { type Job, type JobState, jobOf } from "./job.ts";

const LEASE = readSql(import.meta.url, "leaseJobs.sql");

/** Work that a role looks for: a state, and whether a transaction is recorded for the job. */
export type Stage = { state: Exclude<JobState, "failed">; hasTransaction: boolean };

/**
 * Leases up to `limit` due jobs, in order of their nonces, that nobody else holds. A lease that is neither
 * renewed nor released ends by itself: the jobs of a worker that died go to another.
 *
 * An owner's own leases do not keep it out: each role works on one lot at a time, so that a lease which it still has
 * is one that it could not give back, because the database was away.
 */
export async function leaseJobs(parameters: {
  database: Database;
  owner: string;
  stage: Stage;
  limit: number;
  leaseSeconds: number;
  /** only jobs of these model versions */
  versionIds?: readonly string[];
}): Promise<Job[]> {
  const { database, owner, stage, limit, leaseSeconds, versionIds } = parameters;
  const rows = await database.query(LEASE, [
    stage.state,
    stage.hasTransaction,
    owner,
    leaseSeconds,
    limit,
    versionIds ?? null,
  ]);
  return rows.map(jobOf);
}
