import type { Database } from "../database/database.ts";
import { readSql } from "../database/readSql.ts";
import type { RecordedTransaction } from "./job.ts";

const LOCK = readSql(import.meta.url, "lockTransactionNonces.sql");
const RECORD = readSql(import.meta.url, "recordTransaction.sql");

/**
 * Allocates the account's next nonce, has the transaction signed with it, and ties it to a proven job: all
 * in one transaction, before anything is sent. This is the only place where transaction nonces come from.
 *
 * Returns undefined, and uses no nonce, where the job has a transaction already or is not proven.
 */
export async function recordTransaction(parameters: {
  database: Database;
  requestId: string;
  /** number of transactions that the chain knows of the account, pending ones included */
  chainNonce: number;
  sign: (nonce: number) => Promise<{ hash: string; raw: string }>;
}): Promise<RecordedTransaction | undefined> {
  const { database, requestId, chainNonce, sign } = parameters;
  return await database.transaction(async (tx) => {
    const [row] = await tx.query(LOCK);
    const nonce = Math.max(chainNonce, Number(row?.next ?? 0));
    const { hash, raw } = await sign(nonce);
    const recorded = await tx.query(RECORD, [requestId, hash, nonce, raw]);
    if (recorded.length === 0) return undefined;
    return {
      hash,
      nonce,
      raw,
      broadcastAt: null,
      blockNumber: null,
      blockHash: null,
      gasUsed: null,
    };
  });
}
