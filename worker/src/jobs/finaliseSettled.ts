import type { Database } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";

const FINALISE = readSql(import.meta.url, "finaliseSettled.sql");

/** Ends the watch over settlements in block `upToBlock` and before. Returns of how many jobs. */
export async function finaliseSettled(parameters: {
  database: Database;
  upToBlock: number;
}): Promise<number> {
  return (await parameters.database.query(FINALISE, [parameters.upToBlock])).length;
}
