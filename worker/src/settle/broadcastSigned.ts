import { answerOf, rpcFailure } from "../chain/rpcErrors.ts";
import { dropTransaction } from "../queue/dropTransaction.ts";
import type { Job } from "../queue/job.ts";
import { recordBroadcast } from "../queue/recordBroadcast.ts";
import type { Settler } from "./settler.ts";

/**
 * Sends the recorded transaction of a job, the first time or again: the same bytes with the same nonce, so
 * that it can be mined at most once however often it is sent. Returns whether the job moved on.
 *
 * Where the endpoint refuses it, the chain decides: a transaction that it knows was sent; one whose nonce is
 * used up by another is dropped, and the job gets a new one; anything else is tried again later.
 */
export async function broadcastSigned(parameters: {
  settler: Settler;
  job: Job;
}): Promise<boolean> {
  const { settler, job } = parameters;
  const { chain, database, logger } = settler;
  const { requestId, transaction } = job;
  if (transaction === null) return false;
  const { hash, nonce, raw } = transaction;
  try {
    await chain.provider.send("eth_sendRawTransaction", [raw]);
  } catch (error) {
    const fate = await answerOf(fateOf({ settler, hash, nonce }));
    if (fate === "replaced") {
      logger.warn({ requestId, transaction: hash, nonce }, "nonce taken by another transaction");
      return await dropTransaction({ database, requestId, transactionHash: hash });
    }
    if (fate === "unknown") throw rpcFailure(error);
  }
  settler.crashAfter("broadcast");
  const moved = await recordBroadcast({ database, requestId, transactionHash: hash });
  settler.crashAfter("submitted");
  if (moved) logger.info({ requestId, transaction: hash, nonce }, "submitted");
  return moved;
}

/** What became of a transaction that the endpoint did not take. */
async function fateOf(parameters: {
  settler: Settler;
  hash: string;
  nonce: number;
}): Promise<"known" | "replaced" | "unknown"> {
  const { settler, hash, nonce } = parameters;
  const { provider } = settler.chain;
  if ((await provider.getTransaction(hash)) !== null) return "known";
  const used = await provider.getTransactionCount(settler.wallet.address, "latest");
  if (used <= nonce) return "unknown";
  // Asked once more: it may have been mined between the two questions.
  return (await provider.getTransaction(hash)) !== null ? "known" : "replaced";
}
