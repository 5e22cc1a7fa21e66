import { isSettled } from "../../chain/isSettled.ts";
import { requireSameChain } from "../../chain/requireSameChain.ts";
import { answerOf } from "../../chain/rpcErrors.ts";
import type { Job } from "../../jobs/job.ts";
import { recordExternalSettlement } from "../../jobs/settlements.ts";
import type { ChainView } from "../../transactions/readChainView.ts";
import type { SettleContext } from "./settleContext.ts";

/** Records that a transaction which is not in this queue settled a request. Returns whether one did. */
export async function acceptExternal(parameters: {
  context: SettleContext;
  view: ChainView;
  job: Job;
}): Promise<boolean> {
  const { context, view, job } = parameters;
  const { chain, database, logger } = context;
  const { requestId } = job;
  if (!(await answerOf(isSettled({ chain, requestId, block: view.head })))) return false;
  await requireSameChain(chain);
  logger.warn({ requestId }, "settled by a transaction that is not in this queue");
  return await recordExternalSettlement({ database, requestId, head: view.head });
}
