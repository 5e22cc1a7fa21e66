import type { Database } from "../database/database.ts";
import { readSql } from "../database/readSql.ts";

const FINALISE = readSql(import.meta.url, "finaliseSettled.sql");

/** Ends the watch over settlements in block `upToBlock` and before. */
export async function finaliseSettled(parameters: {
  database: Database;
  upToBlock: number;
}): Promise<void> {
  await parameters.database.query(FINALISE, [parameters.upToBlock]);
}
