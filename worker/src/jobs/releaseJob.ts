import type { Database } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";

const RELEASE = readSql(import.meta.url, "releaseJob.sql");

/** Gives a lease back. With an error: notes it, and lets the job rest for `delaySeconds`. */
export async function releaseJob(parameters: {
  database: Database;
  owner: string;
  requestId: string;
  error?: string;
  delaySeconds?: number;
  /** whether this was one of the attempts that a job has */
  countsAsAttempt?: boolean;
}): Promise<void> {
  const { database, owner, requestId, error, delaySeconds, countsAsAttempt } = parameters;
  await database.query(RELEASE, [
    requestId,
    owner,
    error ?? null,
    delaySeconds ?? 0,
    countsAsAttempt === true ? 1 : 0,
  ]);
}
