import type { Database } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";
import type { JobState } from "./job.ts";

const RECORD = readSql(import.meta.url, "recordFailure.sql");

/** accepted, proven or submitted -> failed, with its reason. Returns whether this call made the transition. */
export async function recordFailure(parameters: {
  database: Database;
  requestId: string;
  from: Exclude<JobState, "settled" | "failed">;
  code: string;
  message: string;
}): Promise<boolean> {
  const { database, requestId, from, code, message } = parameters;
  return (await database.query(RECORD, [requestId, from, code, message])).length === 1;
}
