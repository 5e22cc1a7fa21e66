import type { Database } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";

const COUNT = readSql(import.meta.url, "countPending.sql");

/** Jobs on their way to the chain, and settled ones that are still watched. */
export async function countPending(parameters: {
  database: Database;
}): Promise<{ pending: number; settled: number }> {
  const [row] = await parameters.database.query(COUNT);
  return { pending: Number(row?.pending), settled: Number(row?.settled) };
}
