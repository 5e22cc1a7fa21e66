import type { Database } from "../storage/database.ts";
import { type Job, type JobState, jobOf } from "./job.ts";

/** A job by its request id (lower-case hex); undefined where there is none. */
export async function readJob(parameters: {
  database: Database;
  requestId: string;
}): Promise<Job | undefined> {
  const [row] = await parameters.database.query("SELECT * FROM job_records WHERE request_id = $1", [
    parameters.requestId,
  ]);
  return row === undefined ? undefined : jobOf(row);
}

const FIND_JOBS = "SELECT * FROM job_records WHERE request_id = ANY ($1::text[])";

/** The jobs of requests, by their ids; those that there are. */
export async function findJobs(parameters: {
  database: Pick<Database, "query">;
  requestIds: readonly string[];
}): Promise<Map<string, Job>> {
  const { database, requestIds } = parameters;
  if (requestIds.length === 0) return new Map();
  const rows = await database.query(FIND_JOBS, [[...requestIds]]);
  return new Map(rows.map(jobOf).map((job) => [job.requestId, job]));
}

const COUNT_JOBS = `SELECT state, failure_code, count(*)::integer AS jobs
FROM jobs
GROUP BY state, failure_code`;

export type JobCounts = {
  states: Record<JobState, number>;
  /** failed jobs by failure code */
  failures: Record<string, number>;
};

/** How many jobs are in each state, and why the failed ones failed. */
export async function countJobs(parameters: { database: Database }): Promise<JobCounts> {
  const states = { accepted: 0, proven: 0, submitted: 0, pending: 0, settled: 0, failed: 0 };
  const failures: Record<string, number> = {};
  for (const row of await parameters.database.query(COUNT_JOBS)) {
    const jobs = Number(row.jobs);
    states[row.state as JobState] += jobs;
    const code = row.failure_code;
    if (typeof code === "string") failures[code] = jobs;
  }
  return { states, failures };
}

const COUNT_PENDING = `SELECT
  count(*) FILTER (WHERE state IN ('proven', 'submitted'))::integer AS pending,
  count(*) FILTER (WHERE state = 'settled')::integer AS settled,
  (SELECT count(*)::integer FROM pages WHERE state IN ('pending', 'final')) AS pages,
  (SELECT count(*)::integer FROM held_payments WHERE state = 'open') AS payments,
  (SELECT count(*)::integer FROM channel_results WHERE state = 'open')
    + (SELECT count(*)::integer FROM channels WHERE NOT is_claimed)
    + (SELECT count(*)::integer FROM channel_refunds WHERE state IN ('open', 'sent', 'mined')) AS channels
FROM jobs
WHERE state <> 'failed' AND finalised_at IS NULL`;

/** Jobs on their way to the chain, what is there and still watched, settled ones and pages, payments that are held, and what is to be counted, claimed and given back. */
export async function countPending(parameters: { database: Database }): Promise<{
  pending: number;
  settled: number;
  pages: number;
  payments: number;
  channels: number;
}> {
  const [row] = await parameters.database.query(COUNT_PENDING);
  return {
    pending: Number(row?.pending),
    settled: Number(row?.settled),
    pages: Number(row?.pages),
    payments: Number(row?.payments),
    channels: Number(row?.channels),
  };
}
