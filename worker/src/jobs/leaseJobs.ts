import type { Database } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";
import { type Job, type JobState, jobOf } from "./job.ts";

const LEASE = readSql(import.meta.url, "leaseJobs.sql");

/** Work that a role looks for: a state, and whether a transaction is recorded for the job. */
export type Stage = { state: Exclude<JobState, "failed">; hasTransaction: boolean };

/** Which of the due jobs: those with so many claims that ended with their process; absent: all. */
export type Claims = { from: number; to: number };

/** As many as a count in the database can be. */
export const ANY_NUMBER = 2 ** 31 - 1;

/**
 * Leases up to `limit` due jobs, in order of their nonces, that nobody else holds. A lease that is neither
 * renewed nor released ends by itself: the jobs of a worker that died go to another.
 *
 * Each lease is counted as a claim until the job is given back or moves on: what stays counted is how many processes
 * died with the job in their hands. From the second such lease on, the job rests for a while if it happens again.
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
  claims?: Claims;
  /** whether the owner works on nothing else meanwhile; then the job that was tried so least often comes first */
  alone?: boolean;
}): Promise<Job[]> {
  const { database, owner, stage, limit, leaseSeconds, versionIds, alone = false } = parameters;
  const { from, to } = parameters.claims ?? { from: 0, to: ANY_NUMBER };
  const rows = await database.query(LEASE, [
    stage.state,
    stage.hasTransaction,
    owner,
    leaseSeconds,
    limit,
    versionIds ?? null,
    from,
    to,
    alone,
  ]);
  return rows.map(jobOf);
}
