import type { Database } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";
import type { JobState } from "./job.ts";

const COUNT = readSql(import.meta.url, "countJobs.sql");

export type JobCounts = {
  states: Record<JobState, number>;
  /** failed jobs by failure code */
  failures: Record<string, number>;
};

/** How many jobs are in each state, and why the failed ones failed. */
export async function countJobs(parameters: { database: Database }): Promise<JobCounts> {
  const states = { accepted: 0, proven: 0, submitted: 0, settled: 0, failed: 0 };
  const failures: Record<string, number> = {};
  for (const row of await parameters.database.query(COUNT)) {
    const jobs = Number(row.jobs);
    states[row.state as JobState] += jobs;
    const code = row.failure_code;
    if (typeof code === "string") failures[code] = jobs;
  }
  return { states, failures };
}
