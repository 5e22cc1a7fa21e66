import type { Job } from "../../jobs/job.ts";
import { recordBroadcast } from "../../jobs/settlements.ts";
import { offerAttempt } from "../../transactions/offerAttempt.ts";
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
  const { database, logger } = context;
  const { requestId, transaction } = job;
  if (transaction === null) return false;
  const { nonce } = transaction;
  const offered = await offerAttempt({ context, view, transaction });
  if (offered.state === "taken") return await giveUpNonce({ context, view, job });
  const { hash } = offered;
  const moved = await recordBroadcast({ database, requestId, transactionHash: hash });
  if (moved) logger.info({ requestId, transaction: hash, nonce }, "submitted");
  return moved;
}
