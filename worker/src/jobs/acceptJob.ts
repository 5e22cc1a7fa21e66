import type { Database } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";
import type { NewJob } from "./job.ts";

const ALLOCATE = readSql(import.meta.url, "allocateRequestNonce.sql");
const INSERT = readSql(import.meta.url, "acceptJob.sql");

/**
 * Allocates the next request nonce and inserts the job that `create` makes for it, in one transaction: a
 * nonce is never given twice and, where `create` throws, not used up. On disk when this returns.
 */
export async function acceptJob(parameters: {
  database: Database;
  create: (nonce: bigint) => Promise<NewJob>;
}): Promise<NewJob> {
  const { database, create } = parameters;
  return await database.transaction(async (tx) => {
    const [row] = await tx.query(ALLOCATE);
    const job = await create(BigInt(row?.nonce as string));
    await tx.query(INSERT, [
      job.requestId,
      job.nonce.toString(),
      job.model,
      job.version,
      job.versionId,
      job.requester,
      job.price.toString(),
      job.timestamp.toString(),
      job.inputWords.map(String),
      job.outputWords.map(String),
      job.signature,
    ]);
    return job;
  });
}
