import type { Database } from "../storage/database.ts";
import { type Job, jobOf } from "./job.ts";

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
