import type { Database } from "../storage/database.ts";
import type { RecordedTransaction } from "./job.ts";
import { recordSigned, type SignWithNonce } from "./recordSigned.ts";

const FIND = `SELECT 1 FROM jobs
WHERE request_id = $1 AND state = 'proven' AND transaction_hash IS NULL
FOR UPDATE`;
const TIE = "UPDATE jobs SET transaction_hash = $2 WHERE request_id = $1";

/**
 * Records the first transaction of a proven job, with a nonce of its own, and ties it to the job.
 * Returns undefined, and uses no nonce, where the job has a transaction already or is not proven.
 */
export async function recordTransaction(parameters: {
  database: Database;
  requestId: string;
  /** number of transactions that the chain knows of the account, pending ones included */
  chainNonce: number;
  sign: SignWithNonce;
}): Promise<RecordedTransaction | undefined> {
  const { database, requestId, chainNonce, sign } = parameters;
  return await database.transaction(async (tx) => {
    if ((await tx.query(FIND, [requestId])).length === 0) return undefined;
    const purpose = "settlement";
    const transaction = await recordSigned({ tx, chainNonce, requestId, purpose, sign });
    await tx.query(TIE, [requestId, transaction.hash]);
    return transaction;
  });
}
