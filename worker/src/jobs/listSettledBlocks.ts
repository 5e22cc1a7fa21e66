import type { Database } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";

const LIST = readSql(import.meta.url, "listSettledBlocks.sql");

/** The blocks that hold settlements which a reorganisation could still take back. */
export async function listSettledBlocks(parameters: {
  database: Database;
}): Promise<{ number: number; hash: string }[]> {
  const rows = await parameters.database.query(LIST);
  return rows.map((row) => ({ number: Number(row.number), hash: row.hash as string }));
}
