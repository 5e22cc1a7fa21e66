import type { Job } from "../../jobs/job.ts";
import { recordBroadcast } from "../../jobs/settlements.ts";
import { type Offered, offerAttempt } from "../../transactions/attempts.ts";
import type { ChainView } from "../../transactions/readChainView.ts";
import { giveUpNonce } from "./giveUpNonce.ts";
import type { SettleContext } from "./settleContext.ts";

/**
 * Sends the recorded transaction of a proven job. One that is too cheap for the endpoint, which it may be since fees
 * rose, is replaced; one whose nonce is used up by another is given up. Returns whether the job moved on.
 * @throws RefusedByEndpointError where this transaction is not taken for now; others may be
 */
export async function broadcastSigned(parameters: {
  context: SettleContext;
  view: ChainView;
  job: Job;
}): Promise<boolean> {
  const { context, view, job } = parameters;
  const { transaction } = job;
  if (transaction === null) return false;
  const offered = await offerAttempt({ context, view, transaction });
  return await recordOffered({ context, view, job, offered });
}

/** Notes what became of the offer of a proven job's transaction. Returns whether the job moved on. */
export async function recordOffered(parameters: {
  context: SettleContext;
  view: ChainView;
  job: Job;
  offered: Offered;
}): Promise<boolean> {
  const { context, view, job, offered } = parameters;
  if (offered.state === "taken") return await giveUpNonce({ context, view, job });
  const { database, logger } = context;
  const { requestId, transaction } = job;
  const { hash } = offered;
  const moved = await recordBroadcast({ database, requestId, transactionHash: hash });
  if (moved) {
    logger.info({ requestId, transaction: hash, nonce: transaction?.nonce }, "submitted");
  }
  return moved;
}
