import type { Database } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";

const SKIP = readSql(import.meta.url, "skipRequestNonces.sql");

/** Makes `minimum` the lowest nonce that a new request can have; never goes back. Returns the next nonce. */
export async function skipRequestNonces(parameters: {
  database: Database;
  minimum: bigint;
}): Promise<bigint> {
  const [row] = await parameters.database.query(SKIP, [parameters.minimum.toString()]);
  return BigInt(row?.next as string);
}
