import { isSettled } from "../../chain/chain.ts";
import { answerOf, requireSameChain } from "../../chain/rpcErrors.ts";
import type { Job } from "../../jobs/job.ts";
import { dropTransaction } from "../../jobs/transactions.ts";
import type { ChainView } from "../../transactions/readChainView.ts";
import type { SettleContext } from "./settleContext.ts";

/**
 * Lets a job have a new transaction, because its nonce is used up by one that is not recorded here. An endpoint that
 * knows the nonce but not yet the receipt would look the same: the request must be unsettled in the very block that
 * shows the nonce as used. Returns whether the job moved on.
 */
export async function giveUpNonce(parameters: {
  context: SettleContext;
  view: ChainView;
  job: Job;
}): Promise<boolean> {
  const { context, view, job } = parameters;
  const { chain, database, logger, metrics } = context;
  const { requestId, transaction } = job;
  if (transaction === null) return false;
  if (await answerOf(isSettled({ chain, requestId, block: view.head }))) return false;
  await requireSameChain(chain);
  const { hash, nonce } = transaction;
  const moved = await dropTransaction({ database, transactionHash: hash });
  metrics.transactions.inc({ event: "taken" });
  logger.warn({ requestId, transaction: hash, nonce }, "nonce taken by another transaction");
  return moved;
}
