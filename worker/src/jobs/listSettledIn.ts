import type { Database } from "../storage/database.ts";
import { type Job, jobOf } from "./job.ts";

const LIST =
  "SELECT * FROM job_records WHERE state = 'settled' AND finalised_at IS NULL AND block_hash = $1";

/** The settled jobs whose transactions were last seen in a block. */
export async function listSettledIn(parameters: {
  database: Database;
  blockHash: string;
}): Promise<Job[]> {
  return (await parameters.database.query(LIST, [parameters.blockHash])).map(jobOf);
}
